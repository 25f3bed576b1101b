import { TestHost } from '../persistence/host.ts';

export const HASH = '$y$j9T$abc$def';

/** Account files of a host, with an account `eve` that an attacker may have added. */
export function accountHost(): TestHost {
  const host = new TestHost();
  host.writeRich(
    '/etc/passwd',
    'root:x:0:0:root:/root:/bin/bash\neve:x:1001:1001::/home/eve:/bin/sh\nbob:x:1002:1002::/home/bob:/bin/sh\n',
  );
  host.writeRich(
    '/etc/shadow',
    `root:*:19000:0:99999:7:::\neve:${HASH}:19001:0:99999:7:::\nbob:!:19002:0:99999:7::20000:\n`,
  );
  host.write('/etc/group', 'root:x:0:\nsudo:x:27:bob,eve,ann\nadm:x:4:eve\neve:x:1001:\nbob:x:1002:eve\n', 0o644);
  host.write('/etc/gshadow', 'root:*::\nsudo:*:eve:bob,eve,ann\nadm:*::eve\neve:!::\nbob:!::eve\n');
  host.write('/etc/subuid', 'bob:1:1\neve:100000:65536\n', 0o644);
  return host;
}

export const FILES = ['passwd', 'shadow', 'group', 'gshadow', 'subuid'] as const;
