import { ArrayBlocks, EventCursor } from '../avro/cursor.ts';
import { processLeaves } from '../avro/layout.ts';
import { itemType } from '../avro/schemas.ts';
import { processLeaf } from '../generated/leaves.generated.ts';
import type { Process } from '../generated/types.generated.ts';
import { executableName } from '../values/path.ts';
import { decodeText, splitText } from '../values/text.ts';

const MAX_DEPTH = 64;
const ENTITY_ID_BYTES = 16;
const processType = itemType('EventBatch', 'processes');

/** A process of a batch; what is asked of it is decoded once. */
export class ProcessInfo {
  readonly #list: ProcessList;
  readonly #index: number;
  #raw: Process | undefined;
  #executable: string | undefined;
  #name: string | undefined;
  #args: readonly string[] | undefined;
  #commandLine: string | undefined;
  #entityId: string | undefined;
  #user: string | undefined;
  #workingDirectory: string | undefined;

  constructor(list: ProcessList, index: number) {
    this.#list = list;
    this.#index = index;
  }

  get raw(): Process {
    this.#raw ??= this.#list.decode(this.#index);
    return this.#raw;
  }

  get parent(): ProcessInfo | undefined {
    return this.#list.parentOf(this.#index);
  }

  get executable(): string {
    this.#executable ??= this.#list.executableOf(this.#index);
    return this.#executable;
  }

  get name(): string {
    this.#name ??= executableName(this.executable);
    return this.#name;
  }

  get args(): readonly string[] {
    this.#args ??= this.#list.argsOf(this.#index);
    return this.#args;
  }

  /** Arguments joined by spaces. */
  get commandLine(): string {
    this.#commandLine ??= this.args.join(' ');
    return this.#commandLine;
  }

  /** entity_id as hex. */
  get entityId(): string {
    this.#entityId ??= this.#list.entityIdOf(this.#index);
    return this.#entityId;
  }

  /** Real user id. */
  get uid(): number {
    return this.#list.uidOf(this.#index);
  }

  /** Effective user id. */
  get euid(): number {
    return this.#list.euidOf(this.#index);
  }

  /** Name of the effective user; empty: unknown. */
  get user(): string {
    this.#user ??= this.#list.leavesOf(this.#index).leafText(processLeaf.user);
    return this.#user;
  }

  get workingDirectory(): string {
    this.#workingDirectory ??= this.#list.leavesOf(this.#index).leafText(processLeaf.cwd);
    return this.#workingDirectory;
  }

  get execFlags(): number {
    return this.#list.leavesOf(this.#index).leafLong(processLeaf.execFlags);
  }

  /** The n-th ancestor: 0 is the process itself. */
  ancestor(n: number): ProcessInfo | undefined {
    let process: ProcessInfo | undefined = this;
    for (let i = 0; i < n && process !== undefined; i++) process = process.parent;
    return process;
  }
}

/** Where one process lies in its batch. */
interface Place {
  readonly at: number;
  /** index; -1: none */
  readonly parent: number;
  /** of how many processes it hangs */
  readonly depth: number;
  readonly executableAt: number;
  readonly executableEnd: number;
  readonly argsAt: number;
  readonly argsEnd: number;
  readonly uid: number;
  readonly euid: number;
}

/** The processes of one batch: walked whole at once, so that nothing of them throws later, and decoded when they are asked for. */
export class ProcessList {
  readonly #buffer: Buffer;
  readonly #places: Place[] = [];
  readonly #infos: (ProcessInfo | undefined)[] = [];
  #leaves: EventCursor | undefined;
  #leavesOf = -1;

  /** Reads the array at the cursor and moves past it. Throws SchemaError. The bytes must not change while they are read. */
  constructor(cursor: EventCursor) {
    this.#buffer = cursor.buffer;
    for (const blocks = new ArrayBlocks(cursor); blocks.more(); ) {
      this.#places.push(this.#placeAt(cursor));
      this.#infos.push(undefined);
    }
  }

  get length(): number {
    return this.#places.length;
  }

  /** undefined: there is none at `index`. */
  at(index: number): ProcessInfo | undefined {
    if (index < 0 || index >= this.#places.length) return undefined;
    this.#infos[index] ??= new ProcessInfo(this, index);
    return this.#infos[index];
  }

  parentOf(index: number): ProcessInfo | undefined {
    return this.at(this.#place(index).parent);
  }

  decode(index: number): Process {
    return processType.decode(this.#buffer, this.#place(index).at).value as Process;
  }

  executableOf(index: number): string {
    const { executableAt, executableEnd } = this.#place(index);
    return decodeText(this.#buffer, executableAt, executableEnd);
  }

  argsOf(index: number): readonly string[] {
    const { argsAt, argsEnd } = this.#place(index);
    return splitText(this.#buffer, argsAt, argsEnd);
  }

  /** For what is rarely asked for: reads it in place, where `raw` decodes the whole process. */
  leavesOf(index: number): EventCursor {
    this.#leaves ??= new EventCursor();
    if (this.#leavesOf !== index) {
      this.#leaves.reset(this.#buffer, this.#place(index).at);
      this.#leaves.readRecord(processLeaves);
      this.#leavesOf = index;
    }
    return this.#leaves;
  }

  entityIdOf(index: number): string {
    const { at } = this.#place(index);
    return this.#buffer.toString('hex', at, at + ENTITY_ID_BYTES);
  }

  uidOf(index: number): number {
    return this.#place(index).uid;
  }

  euidOf(index: number): number {
    return this.#place(index).euid;
  }

  /** A parent stands before its children; what says otherwise (hostile bytes: a loop) has no parent. */
  #placeAt(cursor: EventCursor): Place {
    const { at } = cursor;
    cursor.readRecord(processLeaves);
    const said = cursor.leafLong(processLeaf.parent);
    const depth = (this.#places[said]?.depth ?? -1) + 1;
    const executableAt = cursor.leafAt(processLeaf.executable);
    const argsAt = cursor.leafAt(processLeaf.args);
    return {
      at,
      parent: depth === 0 || depth > MAX_DEPTH ? -1 : said,
      depth: depth > MAX_DEPTH ? 0 : depth,
      executableAt,
      executableEnd: executableAt + cursor.leafLength(processLeaf.executable),
      argsAt,
      argsEnd: argsAt + cursor.leafLength(processLeaf.args),
      uid: cursor.leafLong(processLeaf.credentials.uid),
      euid: cursor.leafLong(processLeaf.credentials.euid),
    };
  }

  #place(index: number): Place {
    return this.#places[index] as Place;
  }
}
