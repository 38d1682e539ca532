
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0

'
answerMergexx*
N*
T0"ˆ