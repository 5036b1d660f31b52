"""How good the explanations of single images are, measured on a trained run."""
