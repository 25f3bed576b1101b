## administers over SSH
#desc an administrator who manages servers with Ansible and ssh loops
#in host
#needs sshd ansible-playbook sudo
#setup id sshd > /dev/null 2>&1 || useradd -r -d /run/sshd -s /usr/sbin/nologin sshd
#setup mkdir -p /run/sshd /home/ann/.ssh /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /srv/host; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519; cp /root/.ssh/id_ed25519.pub /home/ann/.ssh/authorized_keys; chown -R ann /home/ann; chmod 700 /home/ann/.ssh
#setup sed -i 's/^ann:!*:/ann:*:/' /etc/shadow; printf '#1000 ALL=(ALL) NOPASSWD: ALL\n' > /etc/sudoers.d/ann; chmod 440 /etc/sudoers.d/ann /etc/sudoers; echo 127.0.0.1 lab >> /etc/hosts
#setup grep -q '^ann:' /etc/shadow || echo 'ann:*:19000:0:99999:7:::' >> /etc/shadow
printf 'Port 22\nListenAddress 127.0.0.1\nHostKey /srv/host\nUsePAM no\nPidFile /run/sshd.pid\nSubsystem sftp /usr/lib/openssh/sftp-server\n' > /srv/sshd_config; /usr/sbin/sshd -f /srv/sshd_config
mkdir -p /srv/play/templates; cd /srv/play; printf '[web]\n127.0.0.1 ansible_user=ann ansible_python_interpreter=/usr/bin/python3\n' > hosts; printf '[defaults]\ninventory = hosts\nhost_key_checking = False\nforks = 2\n[ssh_connection]\npipelining = %s\n' True > ansible.cfg; printf 'listen={{ listen }}\n' > templates/app.conf.j2
cat > site.yml <<'Y'
- hosts: web
  become: true
  gather_facts: true
  vars: { listen: 8080 }
  tasks:
    - group: { name: app, system: true }
    - user: { name: app, group: app, shell: /usr/sbin/nologin, system: true }
    - file: { path: /opt/app, state: directory, owner: app, mode: '0750' }
    - template: { src: app.conf.j2, dest: /opt/app/app.conf, owner: app, mode: '0640' }
      notify: restart
    - copy: { content: "#!/bin/sh\nexit 0\n", dest: /usr/local/bin/app, mode: '0755' }
    - lineinfile: { path: /etc/ssh/sshd_config.d/lab.conf, line: PermitRootLogin no, create: true }
    - lineinfile: { path: /etc/sudoers.d/app, line: 'app ALL=(root) NOPASSWD: /usr/bin/true', create: true, mode: '0440', validate: '/usr/sbin/visudo -cf %s' }
    - copy: { content: "[Service]\nExecStart=/usr/local/bin/app\n", dest: /etc/systemd/system/app.service }
    - cron: { name: app, user: root, minute: '5', job: /usr/local/bin/app, cron_file: app }
    - blockinfile: { path: /etc/profile.d/app.sh, create: true, block: export APP=1 }
    - shell: df -h / | tail -1
    - command: /usr/local/bin/app
    - stat: { path: /etc/shadow }
    - slurp: { src: /etc/hostname }
  handlers:
    - { name: restart, command: /usr/bin/true }
Y
ansible web -m ping; ansible web -b -m shell -a 'uptime; id'; ansible-playbook site.yml
SSH='ssh -o StrictHostKeyChecking=no -o BatchMode=yes ann@127.0.0.1'; for n in 1 2 3 4; do $SSH 'hostname; uptime; df -h / | tail -1; sudo -n dmesg 2> /dev/null | tail -1; sudo -n tail -n 3 /var/log/dpkg.log'; done; $SSH 'bash -s' < /usr/bin/ldd; echo 'set -e; id; uname -a' | $SSH sh; scp -q -o BatchMode=yes /etc/hosts ann@127.0.0.1:/tmp/h; $SSH 'sudo install -m 644 /tmp/h /etc/hosts.new && sudo mv /etc/hosts.new /etc/hosts.lab && sudo rm /tmp/h /etc/hosts.lab'
kill "$(cat /run/sshd.pid)"
