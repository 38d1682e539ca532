
.
xPlaceholder*
shape:*
dtype0
E
answerPartitionedCallx*
Tin
2*

fR
f*
Tout
2h
f

f
a
r@
cPartitionedCalla*
Tin
2*

fR
f*
Tout
2"
r
c:output:0"ˆ