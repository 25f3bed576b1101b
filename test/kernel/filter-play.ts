/** The rules, the script and the alerts of filter.test.ts. */

/**
 * Conditions that the built-in rules don't use on a host without containers: prefixes, suffixes, failed opens, file
 * changes.
 */
export const RULES = `
- rule: Below a prefix
  desc: d
  condition: event.action = open and file.path startswith /run/secrets/
- rule: By its suffix
  desc: d
  condition: event.action = open and file.path endswith (/.aws/credentials, /a-name-of-more-than-thirty-two-bytes.json)
- rule: By its directory
  desc: d
  condition: file.directory = /run/watched and file.open.read = true
  output: "%file.path"
- rule: By its executable
  desc: d
  condition: event.action = open and process.name in (rf-reader, rf-absent) and not file.path startswith (/usr/, /lib, /etc/ld.so.cache)
- rule: Changed by an executable
  desc: d
  condition: event.action = chmod and proc.exepath endswith /rf-changer
- rule: Failed
  desc: d
  condition: event.action = open and event.outcome = failure and (file.name = rf-missing or file.path startswith /run/missing/)
- rule: Moved below a prefix
  desc: d
  condition: event.action = rename and file.target_path startswith /run/guarded/
- rule: Moved away by its name
  desc: d
  condition: event.action = rename and file.name = rf-guarded
- rule: Moved to a name watched for changes only
  desc: d
  condition: event.action = rename and file.target_path = /run/elsewhere/rf-account
- rule: Removed
  desc: d
  condition: event.action in (unlink, rmdir) and (file.directory = /run/guarded or file.path endswith /rf-removed)
- rule: Permissions widened
  desc: d
  condition: event.action = chmod and file.path = /run/guarded/rf-mode and file.mode = 511
- rule: Set-id anywhere
  desc: d
  condition: event.action = chmod and file.setid = true
- rule: Capability anywhere
  desc: d
  condition: event.action = setxattr and file.xattr = security.capability
- rule: Device anywhere
  desc: d
  condition: event.action = mknod and file.type in (character, block)
- rule: Splice from a read-only file
  desc: d
  condition: event.action = splice
- rule: Links
  desc: d
  condition: evt.type in (link, symlink) and (evt.arg.target in (/run/guarded/rf-mode, ../rf-pointed) or evt.arg.oldpath = /run/guarded/rf-mode)
- rule: Mounts
  desc: d
  condition: event.action = mount and mount.target = /run/guarded/mount
- rule: A watched port
  desc: d
  condition: event.action = connect and network.transport = tcp and destination.port = 5201
- rule: Served on loopback
  desc: d
  condition: event.action = accept and source.ip cidr (127.0.0.0/8) and process.name = flow
- rule: Missing executable
  desc: d
  condition: event.action = exec_failed and error.code = ENOENT and attempt.name = rf-absent
- rule: Root refused
  desc: d
  condition: event.action = credentials_failed and attempt.user.ids = 0
- rule: On the host
  desc: d
  condition: event.action = ptrace and not container.id exists
- rule: In a container
  desc: d
  condition: event.action in (unshare, seccomp) and container.id exists
- rule: By its raw path
  desc: d
  condition: event.action = open and file.raw_path startswith ../.ssh/ and file.path endswith /a-name-of-more-than-thirty-two-bytes.json
- rule: By its variable
  desc: d
  condition: event.action = exec and process.env_vars[RF_ASKED] = yes
- rule: By the variable of its process
  desc: d
  condition: event.action = open and process.env_vars[RF_ASKED] = yes and file.path startswith /run/secrets/
- rule: With capabilities before
  desc: d
  condition: event.action = unshare and process.capabilities.before.effective contains CAP_SYS_ADMIN
`;

/** $0: a directory with the programs and files to use. The script runs in its own mount namespaces. */
export const SCRIPT = `
cat=$0/bin/cat
call=$0/bin/change
for port in 5200 5201 5202; do $0/bin/connect tcp4 127.0.0.1 $port; $0/bin/connect tcp6 ::1 $port; done
$0/bin/connect unix /run/nobody x
$0/bin/flow tcp4 10 10
$0/bin/access child attach
unshare --mount true
/nowhere/rf-absent
/nowhere/rf-other
"$0/plain-text"
$0/bin/credentials setuid root
mount --bind "$0/home" /root
mount -t tmpfs none /run
mount -t tmpfs none /etc/cron.d
mkdir -p /run/secrets/deep /run/watched
echo secret > /run/secrets/deep/token
echo x > /run/watched/file
echo key > "$0/plain"
echo key > /root/.ssh/id_ed25519
ln -s id_rsa /root/.ssh/alias
mount --bind "$0/plain" /root/.ssh/id_ed25519
$cat /etc/shadow /root/.ssh/id_rsa /root/.ssh/alias /root/.ssh/id_ed25519 /proc/$PPID/environ
cd /root/.aws
$cat credentials ../.ssh/../.aws/./a-name-of-more-than-thirty-two-bytes.json
reader=$0/bin/rf-reader
echo x > /run/plain
echo x > /run/plain2
$reader /run/plain /nowhere/rf-plain
RF_ASKED=yes RF_SECRET=no $cat /run/secrets/deep/token
$0/bin/rf-shell -c 'read line < /run/plain; exec "$0" /run/plain2' $reader
$cat /run/plain
$0/bin/rf-changer chmod /run/plain 600
$call chmod /run/plain 644
cd /run
$cat secrets/deep/token watched/file /run/secrets/nothing rf-missing /nowhere/rf-missing /run/missing/x /run/other
echo job > /etc/cron.d/job
mkdir -p /run/guarded/mount /run/elsewhere
echo x > /run/elsewhere/x
echo x > /run/rf-guarded
cd /run/elsewhere
$call rename ../rf-guarded ../guarded//rf-mode
$call chmod ../elsewhere/../guarded/rf-mode 777
$call fchmod /run/guarded/rf-mode 777
$call chmod /run/guarded/rf-mode 755
$call chmod x 4755
$call setxattr x security.capability
$call mknod device 20600 1 3
$call mknod fifo 10600 0 0
$call link /run/./guarded/rf-mode hard
$call symlink /run/guarded/rf-mode soft
$call symlink ../rf-pointed relative
$call symlink ../other relative2
$call as 65534 65534 splice /run/guarded/rf-mode empty
$call rename x y
echo x > z
$call rename z rf-account
$cat rf-account
$call unlink y
$call unlinkat /run/guarded rf-mode
$call unlink ./rf-removed
$call unlink soft
mount -t tmpfs none /run/guarded/mount
umount /run/guarded/mount
$call rmdir /run/guarded/./mount/
exit 0
`;

/** Besides the opens of the script: each change that a rule matches. */
export const CHANGE_ALERTS: readonly string[] = [
  'Capability anywhere: change',
  'Changed by an executable: rf-changer',
  'Device anywhere: change',
  'Links: change /run/elsewhere/relative',
  'Links: change /run/elsewhere/soft',
  'Links: change /run/guarded/rf-mode',
  'Mounts: mount /run/guarded/mount',
  'Moved away by its name: change rf-guarded',
  'Moved below a prefix: change',
  'Moved to a name watched for changes only: change',
  'Permissions widened: change /run/guarded/rf-mode',
  'Permissions widened: change /run/guarded/rf-mode',
  'Removed: change /run/elsewhere/rf-removed',
  'Removed: change /run/guarded/mount',
  'Removed: change /run/guarded/rf-mode',
  'Set-id anywhere: change',
  'Splice from a read-only file: change',
];

/** Alerts of network events and of accesses to other processes. */
export const NETWORK_ALERTS: readonly string[] = [
  'A watched port: connect',
  'A watched port: connect',
  'On the host: access',
  'Served on loopback: flow',
];

/** Alerts of failed attempts. */
export const ATTEMPT_ALERTS: readonly string[] = [
  'Execution refused in a scratch folder: sh',
  'Root refused: credentials',
  'Missing executable: sh',
  'Privileges of root refused: credentials',
];

export const OPEN_ALERTS: readonly string[] = [
  'By its raw path: cat /root/.aws/a-name-of-more-than-thirty-two-bytes.json',
  'By its variable: cat',
  'By the variable of its process: cat /run/secrets/deep/token',
  'With capabilities before: unshare',
  'By its executable: rf-reader /nowhere/rf-plain',
  'By its executable: rf-reader /run/plain',
  'By its executable: rf-reader /run/plain2',
  'Below a prefix: cat /run/secrets/deep/token',
  'Below a prefix: cat /run/secrets/nothing',
  'Below a prefix: sh /run/secrets/deep/token',
  'By its directory: cat /run/watched/file',
  'By its suffix: cat /root/.aws/a-name-of-more-than-thirty-two-bytes.json',
  'By its suffix: cat /root/.aws/credentials',
  'Cron job written: sh /etc/cron.d/job',
  'Failed: cat /nowhere/rf-missing',
  'Failed: cat /run/missing/x',
  'Failed: cat /run/rf-missing',
  'Memory of another process read: cat /proc/PID/environ',
  'Password hashes read: cat /etc/shadow',
  'Private SSH key read: cat /root/.ssh/id_ed25519',
  'Private SSH key read: cat /root/.ssh/id_rsa',
];
