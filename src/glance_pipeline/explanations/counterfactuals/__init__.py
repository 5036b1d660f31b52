"""The smallest changes of concepts after which the classifier answers otherwise."""
