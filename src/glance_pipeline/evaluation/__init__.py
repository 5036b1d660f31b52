"""How true the surrogate is: measured on held-out images, by the teacher and by morphometry."""
