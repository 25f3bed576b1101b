import { testContent } from './support.ts';

testContent('lateral-movement.yaml', {
  'Remote login client started in a container': {
    as: 'warning lateral-movement T1021.004',
    fires: { 'ssh to a neighbour': (s) => s.start('/usr/bin/ssh root@172.20.0.3', s.inside) },
    quiet: {
      'git fetches by ssh': (s) =>
        s.start('/usr/bin/ssh git@host git-upload-pack', s.start('/usr/bin/git fetch', s.inside)),
      'an administrator on the host': (s) => s.start('/usr/bin/ssh web-2'),
      'a key is made': (s) => s.start('/usr/bin/ssh-keygen -t ed25519', s.inside),
    },
  },
});
