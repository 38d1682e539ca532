
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0

0
sizeConst*
dtype0*
valueB	:€¨Ö¹
6
shapeConst*
dtype0*
valueB:
ÿÿÿÿÿÿÿÿÿ
*
atConst*
dtype0*
valueB:
J
lTensorListReserveshapesize*

shape_type0*
element_dtype0
6
l2TensorListSetItemlatx*
element_dtype0
9
answerTensorListStackl2shape*
element_dtype0"ˆ