
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0

1
answerMergeansweranswer*
N*
T0"ˆ