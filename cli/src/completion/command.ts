import { OperatorError } from '@ringfence/base';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print } from '../shared/context.ts';

/** Returns the subcommands and options of a command and of each command below it, by its path. */
function completionsOf(command: Command, path: string): Map<string, string[]> {
  const words = [
    ...command.commands.map((subcommand) => subcommand.name()),
    ...command.options.map((option) => option.long ?? option.short ?? ''),
    '--help',
  ];
  const byPath = new Map([[path, words.filter(Boolean)]]);
  for (const subcommand of command.commands)
    for (const [key, value] of completionsOf(subcommand, `${path} ${subcommand.name()}`.trim())) byPath.set(key, value);
  return byPath;
}

function bash(program: Command): string {
  const cases = [...completionsOf(program, '')].map(([path, words]) => `    "${path}") words="${words.join(' ')}" ;;`);
  return `# bash completion for ringfence: source <(ringfence completion bash)
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

/** zsh loads bash completions through bashcompinit. */
const zsh = (program: Command): string => `autoload -U +X bashcompinit && bashcompinit\n${bash(program)}`;

function fish(program: Command): string {
  const lines = ['# fish completion for ringfence: ringfence completion fish | source', 'complete -c ringfence -f'];
  for (const command of program.commands) {
    lines.push(
      `complete -c ringfence -n __fish_use_subcommand -a ${command.name()} -d '${command.description().replaceAll("'", '')}'`,
    );
    for (const option of command.options) {
      if (option.long !== undefined)
        lines.push(
          `complete -c ringfence -n '__fish_seen_subcommand_from ${command.name()}' -l ${option.long.slice(2)} -d '${option.description.replaceAll("'", '')}'`,
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
      const scriptFor = { bash, zsh, fish }[shell];
      if (scriptFor === undefined) throw new OperatorError(`no completion for ${shell}: expected bash, zsh or fish`);
      print(scriptFor(program));
    });
}
