
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0

+
yesConst*
dtype0
*
valueB
Z
+
e0Enterx*

frame_namef0*
T0
%
m0Mergee0n0*
N*
T0

c0LoopCondyes

s0Switchm0c0*
T0

negNegs0:1*
T0
!
n0NextIterationneg*
T0

qExits0*
T0

answerIdentityq*
T0"ˆ