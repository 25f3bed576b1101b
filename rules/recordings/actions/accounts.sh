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
#also Shell started by a network server
mkdir -p /etc/ssh; server 'echo x >> /etc/ssh/sshd_config'
## Password hash given on a command line
useradd -p x eve
## Known trick tried on sudo
#setup stubs /usr/bin/sudo
sudo -u#-1 id
## Shell with the set-user-id bit
#also File in a scratch folder made executable by hand
cp /bin/bash /var/tmp/bash; chmod 4755 /var/tmp/bash
## Capability given to a file in a scratch folder
#also Set-user-id bit or capability given to a file
cp /bin/true /tmp/x; setcap cap_setuid+ep /tmp/x
## Account of the system made able to log in
usermod -s /bin/bash games
## Locked or expired account opened
#also Account locked or taken away by a command
#setup useradd -e 2020-01-01 eve
chage -E -1 eve
## Account changed by a server's command
#also Shell started by a network server
server 'useradd -M eve'
## Account made or changed in a running container
#also Right of root used for the first time by an image
#also Suspicious Process Execution
#in shop:1
useradd -M eve
## Group of administrators joined
#setup grep -q '^sudo:' /etc/group || groupadd -r sudo
usermod -aG sudo ann
## Group given the number of another group
#setup groupadd -r x
groupmod -o -g 6 x
## Accounts declared for systemd-sysusers
mkdir -p /etc/sysusers.d; echo 'u x 0:0' > /etc/sysusers.d/x.conf
## Account of a directory changed by a command
#setup stubs /usr/bin/ldapadd
ldapadd -x -f /srv/x.ldif
## Password file of a web server written
echo x:y > /srv/.htpasswd
## Look-up of users changed
sed -i 's/^passwd:.*/& x/' /etc/nsswitch.conf
## Second factor of a user changed
echo x > /home/ann/.google_authenticator
## Account made by a program
#setup cp /usr/bin/perl /usr/sbin/supportd
/usr/sbin/supportd -e 'system("useradd", "-m", "helpdesk2")'
