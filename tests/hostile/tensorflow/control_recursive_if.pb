
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0

[
answerIfpx*
Tin
2*
else_branchR
f*
Tout
2*
then_branchR
f³
°

f
a
r)
pConst*
dtype0
*
valueB
Z_
cIf
p:output:0a*
Tin
2*
else_branchR
f*
Tout
2*
then_branchR
f"
r
c:output:0"ˆ