"""Results at paper scale: recipes, published figures, runs, the ledger of evidence, trained weights."""
