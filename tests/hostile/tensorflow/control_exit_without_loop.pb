
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0


answerExitx*
T0"ˆ