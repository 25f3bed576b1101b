interface Branch<T> {
  children: Map<number, Branch<T>> | undefined;
  /** literals that end here */
  values: T[] | undefined;
  /** paths that end here: they match only when the text ends too, or goes on with a slash */
  paths: T[] | undefined;
}

/** Finds, in one walk without allocation, all literals that a text starts with (or ends with, `backwards`). */
export class PrefixTree<T> {
  readonly #root: Branch<T> = { children: undefined, values: undefined, paths: undefined };
  readonly #backwards: boolean;

  constructor(backwards = false) {
    this.#backwards = backwards;
  }

  add(literal: string, value: T, isPath = false): void {
    let branch = this.#root;
    for (let i = 0; i < literal.length; i++) {
      const code = literal.charCodeAt(this.#backwards ? literal.length - 1 - i : i);
      branch.children ??= new Map();
      let next = branch.children.get(code);
      if (next === undefined) {
        next = { children: undefined, values: undefined, paths: undefined };
        branch.children.set(code, next);
      }
      branch = next;
    }
    // Everything absolute is below the root.
    const list = isPath && literal !== '/' ? 'paths' : 'values';
    const values = branch[list];
    if (values === undefined) branch[list] = [value];
    else values.push(value);
  }

  find(text: string, hit: (value: T) => void): void {
    let branch: Branch<T> | undefined = this.#root;
    for (let i = 0; branch !== undefined; i++) {
      if (branch.values !== undefined) for (let k = 0; k < branch.values.length; k++) hit(branch.values[k]!);
      if (branch.paths !== undefined && (i === text.length || text.charCodeAt(i) === 47)) {
        for (let k = 0; k < branch.paths.length; k++) hit(branch.paths[k]!);
      }
      if (i === text.length) return;
      branch = branch.children?.get(text.charCodeAt(this.#backwards ? text.length - 1 - i : i));
    }
  }

  some(text: string): boolean {
    let branch: Branch<T> | undefined = this.#root;
    for (let i = 0; branch !== undefined; i++) {
      if (branch.values !== undefined) return true;
      if (branch.paths !== undefined && (i === text.length || text.charCodeAt(i) === 47)) return true;
      if (i === text.length) return false;
      branch = branch.children?.get(text.charCodeAt(this.#backwards ? text.length - 1 - i : i));
    }
    return false;
  }
}
