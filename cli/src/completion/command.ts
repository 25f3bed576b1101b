import { OperatorError } from '@ringfence/base';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print } from '../shared/context.ts';

/** The words that may follow each command: its subcommands and options. */
function words(command: Command, path: string): Map<string, string[]> {
  const own = [
    ...command.commands.map((one) => one.name()),
    ...command.options.map((option) => option.long ?? option.short ?? ''),
    '--help',
  ];
  const all = new Map([[path, own.filter(Boolean)]]);
  for (const child of command.commands)
    for (const [key, value] of words(child, `${path} ${child.name()}`.trim())) all.set(key, value);
  return all;
}

function bash(program: Command): string {
  const cases = [...words(program, '')].map(([path, list]) => `    "${path}") words="${list.join(' ')}" ;;`);
  return `# bash completion of ringfence: source <(ringfence completion bash)
_ringfence() {
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || path="\${path:+$path }$word"
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ringfence ringfence`;
}

/** zsh reads bash completions. */
const zsh = (program: Command): string => `autoload -U +X bashcompinit && bashcompinit\n${bash(program)}`;

function fish(program: Command): string {
  const lines = ['# fish completion of ringfence: ringfence completion fish | source', 'complete -c ringfence -f'];
  for (const child of program.commands) {
    lines.push(
      `complete -c ringfence -n __fish_use_subcommand -a ${child.name()} -d '${child.description().replaceAll("'", '')}'`,
    );
    for (const option of child.options) {
      if (option.long !== undefined)
        lines.push(
          `complete -c ringfence -n '__fish_seen_subcommand_from ${child.name()}' -l ${option.long.slice(2)} -d '${option.description.replaceAll("'", '')}'`,
        );
    }
  }
  return lines.join('\n');
}

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .argument('<shell>', 'bash, zsh or fish')
    .description(DESCRIPTIONS.completion)
    .addHelpText('after', '\nExamples:\n  source <(ringfence completion bash)\n  ringfence completion fish | source')
    .action((shell: string) => {
      const make = { bash, zsh, fish }[shell];
      if (make === undefined) throw new OperatorError(`no completion for ${shell}: expected bash, zsh or fish`);
      print(make(program));
    });
}
