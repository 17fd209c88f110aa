# lavaan 0.6-14, semTools 0.5-6: the data and the reference values of test_latent.py
suppressMessages({library(lavaan);library(semTools)})
set.seed(5); n<-400
X<-rnorm(n);W<-0.3*X+rnorm(n);Y<-0.4*X+0.2*W+0.3*X*W+rnorm(n)
d<-round(data.frame(x1=X+rnorm(n)*.6,x2=X+rnorm(n)*.7,x3=X+rnorm(n)*.8,w1=W+rnorm(n)*.6,w2=W+rnorm(n)*.7,w3=W+rnorm(n)*.8,y1=Y+rnorm(n)*.6,y2=Y+rnorm(n)*.6,y3=Y+rnorm(n)*.6),3)
write.csv(d,"latent_interaction.csv",row.names=FALSE)
di<-indProd(d,var1=c("x1","x2","x3"),var2=c("w1","w2","w3"),match=TRUE,doubleMC=TRUE)
m<-'X=~x1+x2+x3
W=~w1+w2+w3
Y=~y1+y2+y3
XW=~x1.w1+x2.w2+x3.w3
Y~X+W+XW'
f<-sem(m,di,meanstructure=TRUE); pe<-parameterEstimates(f); print(as.data.frame(pe[pe$op=="~",]),digits=10)
p<-probe2WayMC(f,nameX=c("X","W","XW"),nameY="Y",modVar="W",valProbe=c(-1,0,1)); print(format(as.matrix(p$SimpleSlope),digits=9))
