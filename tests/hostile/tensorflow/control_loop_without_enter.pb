
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0

"
mMergexn*
N*
T0

cLoopCondp

sSwitchmc*
T0
 
nNextIterations:1*
T0

eExits*
T0

answerIdentitye*
T0"ˆ