import { O } from '@ringfence/synthetic';
import { NOBODY, REMOTE, type Scene, testContent, USER } from './support.ts';

const started = (words: string) => (s: Scene) => s.start(words);
const read = (by: string, path: string) => (s: Scene) => s.open(s.start(by), path);

testContent('secrets.yaml', {
  'Passwords of a browser read': {
    as: 'warning credential-access T1555.003',
    fires: {
      'of Chrome': read('/usr/bin/python3 x.py', '/home/ann/.config/google-chrome/Default/Login Data'),
      'of Firefox': read('/tmp/x', '/home/ann/.mozilla/firefox/a.default/logins.json'),
    },
    quiet: {
      'by itself': read('/usr/lib/firefox/firefox', '/home/ann/.mozilla/firefox/a.default/logins.json'),
      'by itself, from a folder of its own': read('/usr/local/x/thunderbird-bin', '/home/ann/.thunderbird/a/key4.db'),
      'a backup': read('/usr/bin/restic backup', '/home/ann/.mozilla/firefox/a.default/key4.db'),
      'another file': read('/usr/bin/cat x', '/home/ann/.mozilla/firefox/profiles.ini'),
    },
  },
  'Key ring read': {
    as: 'warning credential-access T1555',
    fires: { 'by cp': read('/usr/bin/cp a b', '/home/ann/.local/share/keyrings/login.keyring') },
    quiet: {
      'by its daemon': read('/usr/bin/gnome-keyring-daemon', '/home/ann/.local/share/keyrings/login.keyring'),
      'it is written': (s) =>
        s.open(s.start('/usr/bin/cp a b'), '/home/ann/.local/share/keyrings/login.keyring', O.WRONLY),
    },
  },
  'History of a shell searched': {
    as: 'notice credential-access T1552.003',
    fires: { 'for passwords': read('/usr/bin/grep -i pass x', '/home/ann/.bash_history') },
    quiet: {
      'bash reads its own': (s) => s.open(s.shell, '/root/.bash_history'),
      'it is edited': read('/usr/bin/vim x', '/root/.bash_history'),
    },
  },
  "Secrets of an application read by a server's command": {
    as: 'error credential-access T1552.001',
    fires: {
      'cat under apache': (s) =>
        s.open(
          s.start('/bin/cat wp-config.php', s.start('/bin/sh -c x', s.start('/usr/sbin/apache2', s.init)), NOBODY),
          '/var/www/html/wp-config.php',
        ),
      'in a reverse shell': (s) => s.open(s.start('/bin/cat .env', s.inside, REMOTE), '/app/.env'),
    },
    quiet: {
      'the server reads it': (s) =>
        s.open(s.start('/usr/sbin/apache2', s.start('/usr/sbin/apache2', s.init)), '/var/www/html/wp-config.php'),
      'an administrator': read('/bin/cat .env', '/app/.env'),
      'another file': (s) => s.open(s.start('/bin/cat x', s.inside, REMOTE), '/app/package.json'),
    },
  },
  'Files searched for passwords': {
    as: 'notice credential-access T1552.001',
    fires: { 'below /etc': started('/usr/bin/grep -ri password /etc') },
    quiet: {
      'one file': started('/usr/bin/grep password app.conf'),
      'for something else': started('/usr/bin/grep -r TODO src'),
    },
  },
  'Files searched for keys': {
    as: 'warning credential-access T1552.004',
    fires: {
      everywhere: started('/usr/bin/find / -name id_rsa'),
      'of TLS': started('/usr/bin/find /home -name *.pem'),
    },
    quiet: {
      'in a project': started('/usr/bin/find . -name *.pem'),
      'for logs': started('/usr/bin/find /var -name *.log'),
    },
  },
  'Keys of the cluster read': {
    as: 'warning credential-access T1552.001',
    fires: {
      'by cat': read('/bin/cat x', '/etc/kubernetes/admin.conf'),
      'by cp': read('/bin/cp x y', '/var/lib/kubelet/pki/kubelet-client-current.pem'),
    },
    quiet: {
      'by the kubelet': read('/usr/bin/kubelet', '/var/lib/kubelet/pki/kubelet-client-current.pem'),
      'by the client': read('/usr/bin/kubectl get pods', '/etc/kubernetes/admin.conf'),
    },
  },
  'Memory of a process saved': {
    as: 'warning credential-access T1003.007',
    fires: {
      gcore: (s) => s.start('/bin/sh /usr/bin/gcore 123', s.shell, { filename: '/usr/bin/gcore' }, '/usr/bin/dash'),
      gdb: (s) => s.start(['gdb', '-p', '123', '-batch', '-ex', 'generate-core-file'], s.shell, {}, '/usr/bin/gdb'),
    },
    quiet: {
      'a program is debugged': started('/usr/bin/gdb ./app'),
      'a core is read': started('/usr/bin/gdb app core.123'),
    },
  },
  'Memory of the kernel read': {
    as: 'error credential-access T1003',
    fires: { 'by strings': read('/usr/bin/strings /proc/kcore', '/proc/kcore') },
    quiet: {
      'by a debugger of kernels': read('/usr/bin/crash', '/proc/kcore'),
      'the list of modules': read('/usr/bin/cat', '/proc/modules'),
    },
  },
  'Addresses of the kernel read by a program of a user': {
    as: 'warning privilege-escalation T1068',
    fires: { 'an exploit': (s) => s.open(s.start('/home/ann/x', s.shell, USER), '/proc/kallsyms') },
    quiet: {
      'root looks': read('/root/tool', '/proc/kallsyms'),
      perf: (s) => s.open(s.start('/usr/bin/perf top', s.shell, USER), '/proc/kallsyms'),
    },
  },
  'Password cracker started': {
    as: 'error credential-access T1110',
    fires: { john: started('/opt/john/run/john hashes') },
    quiet: {
      'a package of the name': started('/usr/bin/apt-get install john'),
      'a user of the name': started('/usr/bin/su john'),
    },
  },
  'Login traced': {
    as: 'warning credential-access T1056',
    fires: {
      'the server of SSH': (s) =>
        s.start(
          ['sh', '-c', 'x'],
          s.start(['strace', '-f', '-p', '1', '-o', '/tmp/sshd.log'], s.shell, {}, '/usr/bin/strace'),
        ),
    },
    quiet: {
      "a program of one's own": started('/usr/bin/strace -f ./app'),
      'another service': started('/usr/bin/strace -p 812 -o nginx.log'),
    },
  },
  'Traffic captured': {
    as: 'notice credential-access discovery T1040',
    fires: { tcpdump: started('/usr/bin/tcpdump -i any -w x.pcap') },
    quiet: { 'connections are listed': started('/usr/bin/ss -tlnp'), 'its manual': started('/usr/bin/man tcpdump') },
  },
  'Keyboard read': {
    as: 'error collection credential-access T1056.001',
    fires: {
      'a logger of keys': read('/usr/bin/python3 x.py', '/dev/input/event3'),
      'one that is called as a display': read('/tmp/Xorg', '/dev/input/event3'),
    },
    quiet: {
      'the display': read('/usr/lib/xorg/Xorg', '/dev/input/event3'),
      'a tool that changes keys': read('/usr/bin/keyd', '/dev/input/event3'),
      'the list of devices': read('/usr/bin/cat', '/proc/bus/input/devices'),
    },
  },
  'Metadata of the cloud asked by a command': {
    as: 'notice credential-access T1552.005',
    fires: { curl: (s) => s.connect(s.start('/usr/bin/curl u'), '169.254.169.254', 80) },
    quiet: {
      'cloud-init': (s) => s.connect(s.start('/usr/bin/python3 /usr/bin/cloud-init init'), '169.254.169.254', 80),
      'another address': (s) => s.connect(s.start('/usr/bin/curl u'), '203.0.113.9', 80),
    },
  },
  'Sessions of a browser read': {
    as: 'warning credential-access T1539',
    fires: {
      'of Chromium': (s) => s.open(s.start('/usr/bin/cp Cookies /tmp/c'), '/home/ann/.config/chromium/Default/Cookies'),
      'by a program brought along': (s) =>
        s.open(s.start('/tmp/x'), '/home/ann/.mozilla/firefox/x/sessionstore.jsonlz4'),
    },
    quiet: {
      'the browser does': (s) =>
        s.open(s.start('/usr/lib/chromium/chromium'), '/home/ann/.config/chromium/Default/Cookies'),
      'a home folder is packed': (s) =>
        s.open(s.start('/usr/bin/tar czf home.tgz /home/ann'), '/home/ann/.config/chromium/Default/Cookies'),
      'a backup': (s) => s.open(s.start('/usr/bin/restic backup /home'), '/home/ann/.config/chromium/Default/Cookies'),
    },
  },
  'Ticket or key of Kerberos taken': {
    as: 'warning credential-access T1558.005',
    fires: {
      'a ticket': (s) => s.open(s.start('/usr/bin/cp x y'), '/tmp/krb5cc_1000'),
      "the machine's key": (s) => s.open(s.start('/usr/bin/base64 x'), '/etc/krb5.keytab'),
    },
    quiet: {
      klist: (s) => s.open(s.start('/usr/bin/klist'), '/tmp/krb5cc_1000'),
      sshd: (s) => s.open(s.sshd, '/etc/krb5.keytab'),
      'the configuration': (s) => s.open(s.start('/usr/bin/cat x'), '/etc/krb5.conf'),
    },
  },
  "Token of a developer's tool read": {
    as: 'notice credential-access T1528',
    fires: {
      'of Vault': (s) => s.open(s.start('/usr/bin/cat x'), '/home/ann/.vault-token'),
      "of GitHub's": (s) => s.open(s.start('/usr/bin/cat x'), '/home/ann/.config/gh/hosts.yml'),
    },
    quiet: {
      'the tool does': (s) => s.open(s.start('/usr/bin/gh pr list'), '/home/ann/.config/gh/hosts.yml'),
      'a list of hosts': (s) => s.open(s.start('/usr/bin/cat x'), '/home/ann/site/hosts.yml'),
    },
  },
  'Tool that comes between others started': {
    as: 'warning credential-access collection T1557.002',
    fires: {
      arpspoof: (s) => s.start('/usr/sbin/arpspoof -i eth0 -t 10.0.0.5 10.0.0.1'),
      'a script': (s) => s.start('/usr/bin/python3 Responder.py -I eth0'),
    },
    quiet: {
      'addresses are shown': (s) => s.start('/usr/sbin/arp -n'),
      'another script': (s) => s.start('/usr/bin/python3 responder_test.py'),
    },
  },
  'Key of a certificate authority read': {
    as: 'warning credential-access T1649',
    fires: {
      'of a cluster': read('/usr/bin/cat x', '/etc/kubernetes/pki/ca.key'),
      'copied away': read('/usr/bin/scp x y', '/srv/pki/private/cakey.pem'),
    },
    quiet: {
      'by who signs with it': read('/usr/bin/openssl ca', '/srv/pki/private/cakey.pem'),
      'by a backup': read('/usr/bin/tar czf /srv/b.tgz /etc', '/etc/kubernetes/pki/ca.key'),
      'by the control plane': read('/usr/local/bin/kube-controller-manager', '/etc/kubernetes/pki/ca.key'),
      'the certificate': read('/usr/bin/cat x', '/etc/kubernetes/pki/ca.crt'),
    },
  },
});
