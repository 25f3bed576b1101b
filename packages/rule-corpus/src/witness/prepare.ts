/** Address and port that take a program's input and output, and port 53, as actor.c has them. */
const NETWORK = { ip: '203.0.113.9', port: 4444 } as const;

/** What a sandbox needs before a witness is performed in it. */
export class Preparation {
  /** Paths of copies of the actor. */
  readonly #programs = new Set<string>();
  readonly #setUserId = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #files = new Map<string, number>();
  readonly #folders = new Set<string>();
  readonly #pipes = new Set<string>();
  readonly #addresses = new Set<string>();
  readonly #listeners = new Map<string, readonly [ip: string, port: number]>();
  readonly #sockets = new Set<string>();

  /** @param isSetUserId whoever starts it is root */
  program(path: string, isSetUserId: boolean): void {
    this.#programs.add(path);
    if (isSetUserId) this.#setUserId.add(path);
  }

  isProgram(path: string): boolean {
    return this.#programs.has(path);
  }

  /** Another name by which a program is started. */
  nameOf(program: string, name: string): void {
    this.#names.set(name, program);
  }

  /** @param mode permissions; 0: everybody may read and write it */
  file(path: string, mode = 0): void {
    this.#files.set(path, mode || 0o666);
  }

  folder(path: string): void {
    this.#folders.add(path);
  }

  parent(path: string): void {
    this.#folders.add(path.slice(0, path.lastIndexOf('/')));
  }

  pipe(path: string): void {
    this.#pipes.add(path);
  }

  address(ip: string): void {
    this.#addresses.add(ip);
  }

  listener(ip: string, port: number): void {
    this.#listeners.set(`${ip} ${port}`, [ip, port]);
  }

  unixSocket(path: string): void {
    this.#sockets.add(path);
  }

  /** Returns the address of a machine that takes everything. */
  network(): string {
    this.listener(NETWORK.ip, NETWORK.port);
    return NETWORK.ip;
  }

  /** Returns what prepare.py reads. */
  toJSON(): object {
    return {
      programs: [...this.#programs],
      setUserId: [...this.#setUserId],
      names: [...this.#names],
      files: [...this.#files],
      folders: [...this.#folders],
      pipes: [...this.#pipes],
      addresses: [...this.#addresses],
      listeners: [...this.#listeners.values()],
      sockets: [...this.#sockets],
    };
  }
}
