## Second root account made
useradd -o -u 0 -g 0 toor
## User database moved into place
cp /etc/passwd /etc/x; mv /etc/x /etc/passwd
## SSH authorized keys moved into place
mkdir -p /root/.ssh; echo k > /root/k; mv /root/k /root/.ssh/authorized_keys
## Sudo rule moved into place
mkdir -p /etc/sudoers.d; echo x > /etc/x; mv /etc/x /etc/sudoers.d/x
## Rule of doas or polkit written
echo 'permit nopass ann' > /etc/doas.conf
## Rule of doas or polkit moved into place
echo 'permit nopass ann' > /etc/x; mv /etc/x /etc/doas.conf
## User database opened to everybody
chmod 666 /etc/passwd
## Check of passwords moved into place
mkdir -p /etc/pam.d; echo x > /etc/x; mv /etc/x /etc/pam.d/sshd
## Check of passwords changed
echo x >> /etc/pam.d/other
## Configuration of the SSH server written
mkdir -p /etc/ssh; echo x >> /etc/ssh/sshd_config
## Configuration of the SSH server written by a server's command
#also Configuration of the SSH server written
#also Shell started by a network server
mkdir -p /etc/ssh; server 'echo x >> /etc/ssh/sshd_config'
## Password hash given on a command line
useradd -p x eve
## Sudo tricked into root
#setup stubs /usr/bin/sudo
sudo -u#-1 id
## Shell with the set-user-id bit
#also File in a scratch folder made executable by hand
#also Set-user-id bit or capability given to a file
#also Set-user-id bit set in a scratch folder
cp /bin/bash /var/tmp/bash; chmod 4755 /var/tmp/bash
## Capability given to a file in a scratch folder
#also Set-user-id bit or capability given to a file
cp /bin/true /tmp/x; setcap cap_setuid+ep /tmp/x
