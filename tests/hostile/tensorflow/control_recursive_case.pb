
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0
P
answerCasepx*
Tin
2*
branches
J
fJ
fJ
f*
Tout
2¨
¥

f
a
r)
pConst*
dtype0*
valueB:T
cCase
p:output:0a*
Tin
2*
branches
J
fJ
fJ
f*
Tout
2"
r
c:output:0"ˆ