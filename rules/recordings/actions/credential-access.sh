## Password hashes read
cat /etc/shadow
## Private SSH key read
mkdir -p /root/.ssh; echo k > /root/.ssh/id_rsa; cat /root/.ssh/id_rsa
## Cloud credentials read in a container
#in shop:1
#setup mkdir -p /root/.aws; echo k > /root/.aws/credentials
cat /root/.aws/credentials
## Cloud metadata service asked from a container
#in shop:1
#setup ip addr add 169.254.169.254/32 dev lo
curl -s http://169.254.169.254/latest/
## Memory of another process read
cat /proc/self/environ
