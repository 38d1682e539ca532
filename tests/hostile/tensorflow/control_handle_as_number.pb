
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0

)
nConst*
dtype0*
valueB:
6
shapeConst*
dtype0*
valueB:
ÿÿÿÿÿÿÿÿÿ
G
lTensorListReserveshapen*

shape_type0*
element_dtype0

answerNegl*
T0"ˆ