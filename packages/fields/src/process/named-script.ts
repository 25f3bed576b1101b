import { baseName } from '../field.ts';

/** An interpreter by its name, with the options that decide what its first other argument is. */
interface Interpreter {
  readonly name: RegExp;
  /** There is no script: the code is in an option, in a module or on the standard input. */
  readonly scriptless: RegExp;
  /** The next argument is a value of the option. */
  readonly valued: RegExp;
}

const INTERPRETERS: readonly Interpreter[] = [
  {
    name: /^(?:ba|da|z|k|mk|a|fi|c|tc)?sh$/,
    scriptless: /^-[a-zA-Z]*[cs]/,
    valued: /^(?:[-+][a-zA-Z]*[oO]|--rcfile|--init-file)$/,
  },
  {
    name: /^(?:python|pypy)[\d.]*$/,
    scriptless: /^-(?![WX])[a-zA-Z]*[cm]/,
    valued: /^(?:-[WX]|--check-hash-based-pycs)$/,
  },
  { name: /^perl[\d.]*$/, scriptless: /^-(?![IMmixd])[a-zA-Z\d]*[eE]/, valued: /^-I$/ },
  { name: /^ruby[\d.]*$/, scriptless: /^-(?![IrCEK])[a-zA-Z]*e/, valued: /^-[IrCEK]$/ },
  { name: /^php[\d.]*(?:-cgi)?$/, scriptless: /^-[rRBES]/, valued: /^-[dcz]$/ },
  {
    name: /^node(?:js)?$/,
    scriptless: /^(?:-[a-z]*[epi]|--eval|--print|--interactive)/,
    valued: /^(?:-[rC]|--require|--import|--loader|--experimental-loader|--conditions)$/,
  },
  { name: /^lua(?:jit)?[\d.]*$/, scriptless: /^-i/, valued: /^-[el]$/ },
];

/**
 * Returns the script that an interpreter is given on its command line, as written there: its first argument that is no
 * option. Undefined for other programs, and for code in an option or on the standard input.
 */
export function namedScript(executable: string, argv: readonly string[]): string | undefined {
  // busybox is each program whose name it is called by, or given.
  const words = baseName(argv[0] ?? '') === 'busybox' ? argv.slice(1) : argv;
  const names = [baseName(executable), baseName(words[0] ?? '').replace(/^-/, '')];
  const interpreter = INTERPRETERS.find(({ name }) => names.some((candidate) => name.test(candidate)));
  if (interpreter === undefined) return undefined;
  for (let index = 1; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '--') return words[index + 1];
    if (!/^[-+]./.test(word)) return word === '-' || word === '' ? undefined : word;
    if (interpreter.scriptless.test(word)) return undefined;
    if (interpreter.valued.test(word)) index++;
  }
  return undefined;
}
