"""Captum's methods on the teacher, and rankings that are cheap, to compare saliency with.

All methods of Captum explain what ours explains: the teacher's margin of the class it gives the
image. Where a method wants a baseline it is given the images' background, which is also what the
first of the two kinds of curves puts in place of a pixel. Channels are summed.
"""


