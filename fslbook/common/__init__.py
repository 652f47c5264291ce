"""What every room may use: checks of arguments, devices, files, memory. Nothing of few-shot learning."""
