
.
xPlaceholder*
shape:*
dtype0

pPlaceholder*
dtype0


s0Switchxp*
T0

p0Identityp*
T0


t0Switchxp0*
T0

s1Switcht0:1p*
T0

p1Identityp*
T0


t1Switcht0:1p1*
T0

s2Switcht1:1p*
T0

p2Identityp*
T0


t2Switcht1:1p2*
T0

s3Switcht2:1p*
T0

p3Identityp*
T0


t3Switcht2:1p3*
T0

s4Switcht3:1p*
T0

p4Identityp*
T0


t4Switcht3:1p4*
T0

s5Switcht4:1p*
T0

p5Identityp*
T0


t5Switcht4:1p5*
T0

s6Switcht5:1p*
T0

p6Identityp*
T0


t6Switcht5:1p6*
T0

s7Switcht6:1p*
T0

p7Identityp*
T0


t7Switcht6:1p7*
T0

s8Switcht7:1p*
T0

p8Identityp*
T0


t8Switcht7:1p8*
T0

s9Switcht8:1p*
T0

p9Identityp*
T0


t9Switcht8:1p9*
T0

s10Switcht9:1p*
T0

p10Identityp*
T0

!
t10Switcht9:1p10*
T0
 
s11Switcht10:1p*
T0

p11Identityp*
T0

"
t11Switcht10:1p11*
T0
 
s12Switcht11:1p*
T0

p12Identityp*
T0

"
t12Switcht11:1p12*
T0
 
s13Switcht12:1p*
T0

p13Identityp*
T0

"
t13Switcht12:1p13*
T0
 
s14Switcht13:1p*
T0

p14Identityp*
T0

"
t14Switcht13:1p14*
T0
 
s15Switcht14:1p*
T0

p15Identityp*
T0

"
t15Switcht14:1p15*
T0
 
s16Switcht15:1p*
T0

p16Identityp*
T0

"
t16Switcht15:1p16*
T0
 
s17Switcht16:1p*
T0

p17Identityp*
T0

"
t17Switcht16:1p17*
T0
 
s18Switcht17:1p*
T0

p18Identityp*
T0

"
t18Switcht17:1p18*
T0
 
s19Switcht18:1p*
T0

p19Identityp*
T0

"
t19Switcht18:1p19*
T0
 
s20Switcht19:1p*
T0

p20Identityp*
T0

"
t20Switcht19:1p20*
T0
 
s21Switcht20:1p*
T0

p21Identityp*
T0

"
t21Switcht20:1p21*
T0
 
s22Switcht21:1p*
T0

p22Identityp*
T0

"
t22Switcht21:1p22*
T0
 
s23Switcht22:1p*
T0

p23Identityp*
T0

"
t23Switcht22:1p23*
T0
 
s24Switcht23:1p*
T0

p24Identityp*
T0

"
t24Switcht23:1p24*
T0
 
s25Switcht24:1p*
T0

p25Identityp*
T0

"
t25Switcht24:1p25*
T0
 
s26Switcht25:1p*
T0

p26Identityp*
T0

"
t26Switcht25:1p26*
T0
 
s27Switcht26:1p*
T0

p27Identityp*
T0

"
t27Switcht26:1p27*
T0
 
s28Switcht27:1p*
T0

p28Identityp*
T0

"
t28Switcht27:1p28*
T0
 
s29Switcht28:1p*
T0

p29Identityp*
T0

"
t29Switcht28:1p29*
T0
 
s30Switcht29:1p*
T0

p30Identityp*
T0

"
t30Switcht29:1p30*
T0
 
s31Switcht30:1p*
T0

p31Identityp*
T0

"
t31Switcht30:1p31*
T0
 
s32Switcht31:1p*
T0

p32Identityp*
T0

"
t32Switcht31:1p32*
T0
 
s33Switcht32:1p*
T0

p33Identityp*
T0

"
t33Switcht32:1p33*
T0
 
s34Switcht33:1p*
T0

p34Identityp*
T0

"
t34Switcht33:1p34*
T0
 
s35Switcht34:1p*
T0

p35Identityp*
T0

"
t35Switcht34:1p35*
T0
 
s36Switcht35:1p*
T0

p36Identityp*
T0

"
t36Switcht35:1p36*
T0
 
s37Switcht36:1p*
T0

p37Identityp*
T0

"
t37Switcht36:1p37*
T0
 
s38Switcht37:1p*
T0

p38Identityp*
T0

"
t38Switcht37:1p38*
T0
 
s39Switcht38:1p*
T0

p39Identityp*
T0

"
t39Switcht38:1p39*
T0
 
s40Switcht39:1p*
T0

p40Identityp*
T0

"
t40Switcht39:1p40*
T0
 
s41Switcht40:1p*
T0

p41Identityp*
T0

"
t41Switcht40:1p41*
T0
 
s42Switcht41:1p*
T0

p42Identityp*
T0

"
t42Switcht41:1p42*
T0
 
s43Switcht42:1p*
T0

p43Identityp*
T0

"
t43Switcht42:1p43*
T0
 
s44Switcht43:1p*
T0

p44Identityp*
T0

"
t44Switcht43:1p44*
T0
 
s45Switcht44:1p*
T0

p45Identityp*
T0

"
t45Switcht44:1p45*
T0
 
s46Switcht45:1p*
T0

p46Identityp*
T0

"
t46Switcht45:1p46*
T0
 
s47Switcht46:1p*
T0

p47Identityp*
T0

"
t47Switcht46:1p47*
T0
 
s48Switcht47:1p*
T0

p48Identityp*
T0

"
t48Switcht47:1p48*
T0
 
s49Switcht48:1p*
T0

p49Identityp*
T0

"
t49Switcht48:1p49*
T0
 
s50Switcht49:1p*
T0

p50Identityp*
T0

"
t50Switcht49:1p50*
T0
 
s51Switcht50:1p*
T0

p51Identityp*
T0

"
t51Switcht50:1p51*
T0
 
s52Switcht51:1p*
T0

p52Identityp*
T0

"
t52Switcht51:1p52*
T0
 
s53Switcht52:1p*
T0

p53Identityp*
T0

"
t53Switcht52:1p53*
T0
 
s54Switcht53:1p*
T0

p54Identityp*
T0

"
t54Switcht53:1p54*
T0
 
s55Switcht54:1p*
T0

p55Identityp*
T0

"
t55Switcht54:1p55*
T0
 
s56Switcht55:1p*
T0

p56Identityp*
T0

"
t56Switcht55:1p56*
T0
 
s57Switcht56:1p*
T0

p57Identityp*
T0

"
t57Switcht56:1p57*
T0
 
s58Switcht57:1p*
T0

p58Identityp*
T0

"
t58Switcht57:1p58*
T0
 
s59Switcht58:1p*
T0

p59Identityp*
T0

"
t59Switcht58:1p59*
T0
 
s60Switcht59:1p*
T0

p60Identityp*
T0

"
t60Switcht59:1p60*
T0
 
s61Switcht60:1p*
T0

p61Identityp*
T0

"
t61Switcht60:1p61*
T0
 
s62Switcht61:1p*
T0

p62Identityp*
T0

"
t62Switcht61:1p62*
T0
 
s63Switcht62:1p*
T0

p63Identityp*
T0

"
t63Switcht62:1p63*
T0
 
s64Switcht63:1p*
T0

p64Identityp*
T0

"
t64Switcht63:1p64*
T0
 
s65Switcht64:1p*
T0

p65Identityp*
T0

"
t65Switcht64:1p65*
T0
 
s66Switcht65:1p*
T0

p66Identityp*
T0

"
t66Switcht65:1p66*
T0
 
s67Switcht66:1p*
T0

p67Identityp*
T0

"
t67Switcht66:1p67*
T0
 
s68Switcht67:1p*
T0

p68Identityp*
T0

"
t68Switcht67:1p68*
T0
 
s69Switcht68:1p*
T0

p69Identityp*
T0

"
t69Switcht68:1p69*
T0
 
s70Switcht69:1p*
T0

p70Identityp*
T0

"
t70Switcht69:1p70*
T0
 
s71Switcht70:1p*
T0

p71Identityp*
T0

"
t71Switcht70:1p71*
T0
 
s72Switcht71:1p*
T0

p72Identityp*
T0

"
t72Switcht71:1p72*
T0
 
s73Switcht72:1p*
T0

p73Identityp*
T0

"
t73Switcht72:1p73*
T0
 
s74Switcht73:1p*
T0

p74Identityp*
T0

"
t74Switcht73:1p74*
T0
 
s75Switcht74:1p*
T0

p75Identityp*
T0

"
t75Switcht74:1p75*
T0
 
s76Switcht75:1p*
T0

p76Identityp*
T0

"
t76Switcht75:1p76*
T0
 
s77Switcht76:1p*
T0

p77Identityp*
T0

"
t77Switcht76:1p77*
T0
 
s78Switcht77:1p*
T0

p78Identityp*
T0

"
t78Switcht77:1p78*
T0
 
s79Switcht78:1p*
T0

p79Identityp*
T0

"
t79Switcht78:1p79*
T0
 
s80Switcht79:1p*
T0

p80Identityp*
T0

"
t80Switcht79:1p80*
T0
 
s81Switcht80:1p*
T0

p81Identityp*
T0

"
t81Switcht80:1p81*
T0
 
s82Switcht81:1p*
T0

p82Identityp*
T0

"
t82Switcht81:1p82*
T0
 
s83Switcht82:1p*
T0

p83Identityp*
T0

"
t83Switcht82:1p83*
T0
 
s84Switcht83:1p*
T0

p84Identityp*
T0

"
t84Switcht83:1p84*
T0
 
s85Switcht84:1p*
T0

p85Identityp*
T0

"
t85Switcht84:1p85*
T0
 
s86Switcht85:1p*
T0

p86Identityp*
T0

"
t86Switcht85:1p86*
T0
 
s87Switcht86:1p*
T0

p87Identityp*
T0

"
t87Switcht86:1p87*
T0
 
s88Switcht87:1p*
T0

p88Identityp*
T0

"
t88Switcht87:1p88*
T0
 
s89Switcht88:1p*
T0

p89Identityp*
T0

"
t89Switcht88:1p89*
T0
 
s90Switcht89:1p*
T0

p90Identityp*
T0

"
t90Switcht89:1p90*
T0
 
s91Switcht90:1p*
T0

p91Identityp*
T0

"
t91Switcht90:1p91*
T0
 
s92Switcht91:1p*
T0

p92Identityp*
T0

"
t92Switcht91:1p92*
T0
 
s93Switcht92:1p*
T0

p93Identityp*
T0

"
t93Switcht92:1p93*
T0
 
s94Switcht93:1p*
T0

p94Identityp*
T0

"
t94Switcht93:1p94*
T0
 
s95Switcht94:1p*
T0

p95Identityp*
T0

"
t95Switcht94:1p95*
T0
 
s96Switcht95:1p*
T0

p96Identityp*
T0

"
t96Switcht95:1p96*
T0
 
s97Switcht96:1p*
T0

p97Identityp*
T0

"
t97Switcht96:1p97*
T0
 
s98Switcht97:1p*
T0

p98Identityp*
T0

"
t98Switcht97:1p98*
T0
 
s99Switcht98:1p*
T0

p99Identityp*
T0

"
t99Switcht98:1p99*
T0
!
s100Switcht99:1p*
T0

p100Identityp*
T0

$
t100Switcht99:1p100*
T0
"
s101Switcht100:1p*
T0

p101Identityp*
T0

%
t101Switcht100:1p101*
T0
"
s102Switcht101:1p*
T0

p102Identityp*
T0

%
t102Switcht101:1p102*
T0
"
s103Switcht102:1p*
T0

p103Identityp*
T0

%
t103Switcht102:1p103*
T0
"
s104Switcht103:1p*
T0

p104Identityp*
T0

%
t104Switcht103:1p104*
T0
"
s105Switcht104:1p*
T0

p105Identityp*
T0

%
t105Switcht104:1p105*
T0
"
s106Switcht105:1p*
T0

p106Identityp*
T0

%
t106Switcht105:1p106*
T0
"
s107Switcht106:1p*
T0

p107Identityp*
T0

%
t107Switcht106:1p107*
T0
"
s108Switcht107:1p*
T0

p108Identityp*
T0

%
t108Switcht107:1p108*
T0
"
s109Switcht108:1p*
T0

p109Identityp*
T0

%
t109Switcht108:1p109*
T0
"
s110Switcht109:1p*
T0

p110Identityp*
T0

%
t110Switcht109:1p110*
T0
"
s111Switcht110:1p*
T0

p111Identityp*
T0

%
t111Switcht110:1p111*
T0
"
s112Switcht111:1p*
T0

p112Identityp*
T0

%
t112Switcht111:1p112*
T0
"
s113Switcht112:1p*
T0

p113Identityp*
T0

%
t113Switcht112:1p113*
T0
"
s114Switcht113:1p*
T0

p114Identityp*
T0

%
t114Switcht113:1p114*
T0
"
s115Switcht114:1p*
T0

p115Identityp*
T0

%
t115Switcht114:1p115*
T0
"
s116Switcht115:1p*
T0

p116Identityp*
T0

%
t116Switcht115:1p116*
T0
"
s117Switcht116:1p*
T0

p117Identityp*
T0

%
t117Switcht116:1p117*
T0
"
s118Switcht117:1p*
T0

p118Identityp*
T0

%
t118Switcht117:1p118*
T0
"
s119Switcht118:1p*
T0

p119Identityp*
T0

%
t119Switcht118:1p119*
T0
"
s120Switcht119:1p*
T0

p120Identityp*
T0

%
t120Switcht119:1p120*
T0
"
s121Switcht120:1p*
T0

p121Identityp*
T0

%
t121Switcht120:1p121*
T0
"
s122Switcht121:1p*
T0

p122Identityp*
T0

%
t122Switcht121:1p122*
T0
"
s123Switcht122:1p*
T0

p123Identityp*
T0

%
t123Switcht122:1p123*
T0
"
s124Switcht123:1p*
T0

p124Identityp*
T0

%
t124Switcht123:1p124*
T0
"
s125Switcht124:1p*
T0

p125Identityp*
T0

%
t125Switcht124:1p125*
T0
"
s126Switcht125:1p*
T0

p126Identityp*
T0

%
t126Switcht125:1p126*
T0
"
s127Switcht126:1p*
T0

p127Identityp*
T0

%
t127Switcht126:1p127*
T0
"
s128Switcht127:1p*
T0

p128Identityp*
T0

%
t128Switcht127:1p128*
T0
"
s129Switcht128:1p*
T0

p129Identityp*
T0

%
t129Switcht128:1p129*
T0
"
s130Switcht129:1p*
T0

p130Identityp*
T0

%
t130Switcht129:1p130*
T0
"
s131Switcht130:1p*
T0

p131Identityp*
T0

%
t131Switcht130:1p131*
T0
"
s132Switcht131:1p*
T0

p132Identityp*
T0

%
t132Switcht131:1p132*
T0
"
s133Switcht132:1p*
T0

p133Identityp*
T0

%
t133Switcht132:1p133*
T0
"
s134Switcht133:1p*
T0

p134Identityp*
T0

%
t134Switcht133:1p134*
T0
"
s135Switcht134:1p*
T0

p135Identityp*
T0

%
t135Switcht134:1p135*
T0
"
s136Switcht135:1p*
T0

p136Identityp*
T0

%
t136Switcht135:1p136*
T0
"
s137Switcht136:1p*
T0

p137Identityp*
T0

%
t137Switcht136:1p137*
T0
"
s138Switcht137:1p*
T0

p138Identityp*
T0

%
t138Switcht137:1p138*
T0
"
s139Switcht138:1p*
T0

p139Identityp*
T0

%
t139Switcht138:1p139*
T0
"
s140Switcht139:1p*
T0

p140Identityp*
T0

%
t140Switcht139:1p140*
T0
"
s141Switcht140:1p*
T0

p141Identityp*
T0

%
t141Switcht140:1p141*
T0
"
s142Switcht141:1p*
T0

p142Identityp*
T0

%
t142Switcht141:1p142*
T0
"
s143Switcht142:1p*
T0

p143Identityp*
T0

%
t143Switcht142:1p143*
T0
"
s144Switcht143:1p*
T0

p144Identityp*
T0

%
t144Switcht143:1p144*
T0
"
s145Switcht144:1p*
T0

p145Identityp*
T0

%
t145Switcht144:1p145*
T0
"
s146Switcht145:1p*
T0

p146Identityp*
T0

%
t146Switcht145:1p146*
T0
"
s147Switcht146:1p*
T0

p147Identityp*
T0

%
t147Switcht146:1p147*
T0
"
s148Switcht147:1p*
T0

p148Identityp*
T0

%
t148Switcht147:1p148*
T0
"
s149Switcht148:1p*
T0

p149Identityp*
T0

%
t149Switcht148:1p149*
T0
"
s150Switcht149:1p*
T0

p150Identityp*
T0

%
t150Switcht149:1p150*
T0
"
s151Switcht150:1p*
T0

p151Identityp*
T0

%
t151Switcht150:1p151*
T0
"
s152Switcht151:1p*
T0

p152Identityp*
T0

%
t152Switcht151:1p152*
T0
"
s153Switcht152:1p*
T0

p153Identityp*
T0

%
t153Switcht152:1p153*
T0
"
s154Switcht153:1p*
T0

p154Identityp*
T0

%
t154Switcht153:1p154*
T0
"
s155Switcht154:1p*
T0

p155Identityp*
T0

%
t155Switcht154:1p155*
T0
"
s156Switcht155:1p*
T0

p156Identityp*
T0

%
t156Switcht155:1p156*
T0
"
s157Switcht156:1p*
T0

p157Identityp*
T0

%
t157Switcht156:1p157*
T0
"
s158Switcht157:1p*
T0

p158Identityp*
T0

%
t158Switcht157:1p158*
T0
"
s159Switcht158:1p*
T0

p159Identityp*
T0

%
t159Switcht158:1p159*
T0
"
s160Switcht159:1p*
T0

p160Identityp*
T0

%
t160Switcht159:1p160*
T0
"
s161Switcht160:1p*
T0

p161Identityp*
T0

%
t161Switcht160:1p161*
T0
"
s162Switcht161:1p*
T0

p162Identityp*
T0

%
t162Switcht161:1p162*
T0
"
s163Switcht162:1p*
T0

p163Identityp*
T0

%
t163Switcht162:1p163*
T0
"
s164Switcht163:1p*
T0

p164Identityp*
T0

%
t164Switcht163:1p164*
T0
"
s165Switcht164:1p*
T0

p165Identityp*
T0

%
t165Switcht164:1p165*
T0
"
s166Switcht165:1p*
T0

p166Identityp*
T0

%
t166Switcht165:1p166*
T0
"
s167Switcht166:1p*
T0

p167Identityp*
T0

%
t167Switcht166:1p167*
T0
"
s168Switcht167:1p*
T0

p168Identityp*
T0

%
t168Switcht167:1p168*
T0
"
s169Switcht168:1p*
T0

p169Identityp*
T0

%
t169Switcht168:1p169*
T0
"
s170Switcht169:1p*
T0

p170Identityp*
T0

%
t170Switcht169:1p170*
T0
"
s171Switcht170:1p*
T0

p171Identityp*
T0

%
t171Switcht170:1p171*
T0
"
s172Switcht171:1p*
T0

p172Identityp*
T0

%
t172Switcht171:1p172*
T0
"
s173Switcht172:1p*
T0

p173Identityp*
T0

%
t173Switcht172:1p173*
T0
"
s174Switcht173:1p*
T0

p174Identityp*
T0

%
t174Switcht173:1p174*
T0
"
s175Switcht174:1p*
T0

p175Identityp*
T0

%
t175Switcht174:1p175*
T0
"
s176Switcht175:1p*
T0

p176Identityp*
T0

%
t176Switcht175:1p176*
T0
"
s177Switcht176:1p*
T0

p177Identityp*
T0

%
t177Switcht176:1p177*
T0
"
s178Switcht177:1p*
T0

p178Identityp*
T0

%
t178Switcht177:1p178*
T0
"
s179Switcht178:1p*
T0

p179Identityp*
T0

%
t179Switcht178:1p179*
T0
"
s180Switcht179:1p*
T0

p180Identityp*
T0

%
t180Switcht179:1p180*
T0
"
s181Switcht180:1p*
T0

p181Identityp*
T0

%
t181Switcht180:1p181*
T0
"
s182Switcht181:1p*
T0

p182Identityp*
T0

%
t182Switcht181:1p182*
T0
"
s183Switcht182:1p*
T0

p183Identityp*
T0

%
t183Switcht182:1p183*
T0
"
s184Switcht183:1p*
T0

p184Identityp*
T0

%
t184Switcht183:1p184*
T0
"
s185Switcht184:1p*
T0

p185Identityp*
T0

%
t185Switcht184:1p185*
T0
"
s186Switcht185:1p*
T0

p186Identityp*
T0

%
t186Switcht185:1p186*
T0
"
s187Switcht186:1p*
T0

p187Identityp*
T0

%
t187Switcht186:1p187*
T0
"
s188Switcht187:1p*
T0

p188Identityp*
T0

%
t188Switcht187:1p188*
T0
"
s189Switcht188:1p*
T0

p189Identityp*
T0

%
t189Switcht188:1p189*
T0
"
s190Switcht189:1p*
T0

p190Identityp*
T0

%
t190Switcht189:1p190*
T0
"
s191Switcht190:1p*
T0

p191Identityp*
T0

%
t191Switcht190:1p191*
T0
"
s192Switcht191:1p*
T0

p192Identityp*
T0

%
t192Switcht191:1p192*
T0
"
s193Switcht192:1p*
T0

p193Identityp*
T0

%
t193Switcht192:1p193*
T0
"
s194Switcht193:1p*
T0

p194Identityp*
T0

%
t194Switcht193:1p194*
T0
"
s195Switcht194:1p*
T0

p195Identityp*
T0

%
t195Switcht194:1p195*
T0
"
s196Switcht195:1p*
T0

p196Identityp*
T0

%
t196Switcht195:1p196*
T0
"
s197Switcht196:1p*
T0

p197Identityp*
T0

%
t197Switcht196:1p197*
T0
"
s198Switcht197:1p*
T0

p198Identityp*
T0

%
t198Switcht197:1p198*
T0
"
s199Switcht198:1p*
T0

p199Identityp*
T0

%
t199Switcht198:1p199*
T0
-
m199Merget199t199:1*
N*
T0
+
m198Merget198m199*
N*
T0
+
m197Merget197m198*
N*
T0
+
m196Merget196m197*
N*
T0
+
m195Merget195m196*
N*
T0
+
m194Merget194m195*
N*
T0
+
m193Merget193m194*
N*
T0
+
m192Merget192m193*
N*
T0
+
m191Merget191m192*
N*
T0
+
m190Merget190m191*
N*
T0
+
m189Merget189m190*
N*
T0
+
m188Merget188m189*
N*
T0
+
m187Merget187m188*
N*
T0
+
m186Merget186m187*
N*
T0
+
m185Merget185m186*
N*
T0
+
m184Merget184m185*
N*
T0
+
m183Merget183m184*
N*
T0
+
m182Merget182m183*
N*
T0
+
m181Merget181m182*
N*
T0
+
m180Merget180m181*
N*
T0
+
m179Merget179m180*
N*
T0
+
m178Merget178m179*
N*
T0
+
m177Merget177m178*
N*
T0
+
m176Merget176m177*
N*
T0
+
m175Merget175m176*
N*
T0
+
m174Merget174m175*
N*
T0
+
m173Merget173m174*
N*
T0
+
m172Merget172m173*
N*
T0
+
m171Merget171m172*
N*
T0
+
m170Merget170m171*
N*
T0
+
m169Merget169m170*
N*
T0
+
m168Merget168m169*
N*
T0
+
m167Merget167m168*
N*
T0
+
m166Merget166m167*
N*
T0
+
m165Merget165m166*
N*
T0
+
m164Merget164m165*
N*
T0
+
m163Merget163m164*
N*
T0
+
m162Merget162m163*
N*
T0
+
m161Merget161m162*
N*
T0
+
m160Merget160m161*
N*
T0
+
m159Merget159m160*
N*
T0
+
m158Merget158m159*
N*
T0
+
m157Merget157m158*
N*
T0
+
m156Merget156m157*
N*
T0
+
m155Merget155m156*
N*
T0
+
m154Merget154m155*
N*
T0
+
m153Merget153m154*
N*
T0
+
m152Merget152m153*
N*
T0
+
m151Merget151m152*
N*
T0
+
m150Merget150m151*
N*
T0
+
m149Merget149m150*
N*
T0
+
m148Merget148m149*
N*
T0
+
m147Merget147m148*
N*
T0
+
m146Merget146m147*
N*
T0
+
m145Merget145m146*
N*
T0
+
m144Merget144m145*
N*
T0
+
m143Merget143m144*
N*
T0
+
m142Merget142m143*
N*
T0
+
m141Merget141m142*
N*
T0
+
m140Merget140m141*
N*
T0
+
m139Merget139m140*
N*
T0
+
m138Merget138m139*
N*
T0
+
m137Merget137m138*
N*
T0
+
m136Merget136m137*
N*
T0
+
m135Merget135m136*
N*
T0
+
m134Merget134m135*
N*
T0
+
m133Merget133m134*
N*
T0
+
m132Merget132m133*
N*
T0
+
m131Merget131m132*
N*
T0
+
m130Merget130m131*
N*
T0
+
m129Merget129m130*
N*
T0
+
m128Merget128m129*
N*
T0
+
m127Merget127m128*
N*
T0
+
m126Merget126m127*
N*
T0
+
m125Merget125m126*
N*
T0
+
m124Merget124m125*
N*
T0
+
m123Merget123m124*
N*
T0
+
m122Merget122m123*
N*
T0
+
m121Merget121m122*
N*
T0
+
m120Merget120m121*
N*
T0
+
m119Merget119m120*
N*
T0
+
m118Merget118m119*
N*
T0
+
m117Merget117m118*
N*
T0
+
m116Merget116m117*
N*
T0
+
m115Merget115m116*
N*
T0
+
m114Merget114m115*
N*
T0
+
m113Merget113m114*
N*
T0
+
m112Merget112m113*
N*
T0
+
m111Merget111m112*
N*
T0
+
m110Merget110m111*
N*
T0
+
m109Merget109m110*
N*
T0
+
m108Merget108m109*
N*
T0
+
m107Merget107m108*
N*
T0
+
m106Merget106m107*
N*
T0
+
m105Merget105m106*
N*
T0
+
m104Merget104m105*
N*
T0
+
m103Merget103m104*
N*
T0
+
m102Merget102m103*
N*
T0
+
m101Merget101m102*
N*
T0
+
m100Merget100m101*
N*
T0
)
m99Merget99m100*
N*
T0
(
m98Merget98m99*
N*
T0
(
m97Merget97m98*
N*
T0
(
m96Merget96m97*
N*
T0
(
m95Merget95m96*
N*
T0
(
m94Merget94m95*
N*
T0
(
m93Merget93m94*
N*
T0
(
m92Merget92m93*
N*
T0
(
m91Merget91m92*
N*
T0
(
m90Merget90m91*
N*
T0
(
m89Merget89m90*
N*
T0
(
m88Merget88m89*
N*
T0
(
m87Merget87m88*
N*
T0
(
m86Merget86m87*
N*
T0
(
m85Merget85m86*
N*
T0
(
m84Merget84m85*
N*
T0
(
m83Merget83m84*
N*
T0
(
m82Merget82m83*
N*
T0
(
m81Merget81m82*
N*
T0
(
m80Merget80m81*
N*
T0
(
m79Merget79m80*
N*
T0
(
m78Merget78m79*
N*
T0
(
m77Merget77m78*
N*
T0
(
m76Merget76m77*
N*
T0
(
m75Merget75m76*
N*
T0
(
m74Merget74m75*
N*
T0
(
m73Merget73m74*
N*
T0
(
m72Merget72m73*
N*
T0
(
m71Merget71m72*
N*
T0
(
m70Merget70m71*
N*
T0
(
m69Merget69m70*
N*
T0
(
m68Merget68m69*
N*
T0
(
m67Merget67m68*
N*
T0
(
m66Merget66m67*
N*
T0
(
m65Merget65m66*
N*
T0
(
m64Merget64m65*
N*
T0
(
m63Merget63m64*
N*
T0
(
m62Merget62m63*
N*
T0
(
m61Merget61m62*
N*
T0
(
m60Merget60m61*
N*
T0
(
m59Merget59m60*
N*
T0
(
m58Merget58m59*
N*
T0
(
m57Merget57m58*
N*
T0
(
m56Merget56m57*
N*
T0
(
m55Merget55m56*
N*
T0
(
m54Merget54m55*
N*
T0
(
m53Merget53m54*
N*
T0
(
m52Merget52m53*
N*
T0
(
m51Merget51m52*
N*
T0
(
m50Merget50m51*
N*
T0
(
m49Merget49m50*
N*
T0
(
m48Merget48m49*
N*
T0
(
m47Merget47m48*
N*
T0
(
m46Merget46m47*
N*
T0
(
m45Merget45m46*
N*
T0
(
m44Merget44m45*
N*
T0
(
m43Merget43m44*
N*
T0
(
m42Merget42m43*
N*
T0
(
m41Merget41m42*
N*
T0
(
m40Merget40m41*
N*
T0
(
m39Merget39m40*
N*
T0
(
m38Merget38m39*
N*
T0
(
m37Merget37m38*
N*
T0
(
m36Merget36m37*
N*
T0
(
m35Merget35m36*
N*
T0
(
m34Merget34m35*
N*
T0
(
m33Merget33m34*
N*
T0
(
m32Merget32m33*
N*
T0
(
m31Merget31m32*
N*
T0
(
m30Merget30m31*
N*
T0
(
m29Merget29m30*
N*
T0
(
m28Merget28m29*
N*
T0
(
m27Merget27m28*
N*
T0
(
m26Merget26m27*
N*
T0
(
m25Merget25m26*
N*
T0
(
m24Merget24m25*
N*
T0
(
m23Merget23m24*
N*
T0
(
m22Merget22m23*
N*
T0
(
m21Merget21m22*
N*
T0
(
m20Merget20m21*
N*
T0
(
m19Merget19m20*
N*
T0
(
m18Merget18m19*
N*
T0
(
m17Merget17m18*
N*
T0
(
m16Merget16m17*
N*
T0
(
m15Merget15m16*
N*
T0
(
m14Merget14m15*
N*
T0
(
m13Merget13m14*
N*
T0
(
m12Merget12m13*
N*
T0
(
m11Merget11m12*
N*
T0
(
m10Merget10m11*
N*
T0
&
m9Merget9m10*
N*
T0
%
m8Merget8m9*
N*
T0
%
m7Merget7m8*
N*
T0
%
m6Merget6m7*
N*
T0
%
m5Merget5m6*
N*
T0
%
m4Merget4m5*
N*
T0
%
m3Merget3m4*
N*
T0
%
m2Merget2m3*
N*
T0
%
m1Merget1m2*
N*
T0
%
m0Merget0m1*
N*
T0

answerIdentitym0*
T0"ˆ