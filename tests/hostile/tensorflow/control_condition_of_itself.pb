
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0


sSwitchxm*
T0
$
mMergess:1*
N*
T0


answerIdentitym*
T0"ˆ