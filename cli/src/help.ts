import { type AddHelpTextContext, type AddHelpTextPosition, Command, type ErrorOptions } from 'commander';

const NO_TERMINAL = 80;

/** A command whose help keeps to the terminal's width, and whose errors say where to read on. What it makes is one too. */
export class HelpfulCommand extends Command {
  override createCommand(name?: string): HelpfulCommand {
    return new HelpfulCommand(name);
  }

  override addHelpText(
    position: AddHelpTextPosition,
    text: string | ((context: AddHelpTextContext) => string | undefined),
  ): this {
    return super.addHelpText(position, (context) => {
      const { getOutHelpWidth, getErrHelpWidth } = this.configureOutput();
      const width = context.error ? getErrHelpWidth?.() : getOutHelpWidth?.();
      return wrapped((typeof text === 'string' ? text : text(context)) ?? '', width ?? NO_TERMINAL);
    });
  }

  override error(message: string, options?: ErrorOptions): never {
    const names = [this.name()];
    for (let above = this.parent; above !== null; above = above.parent) names.unshift(above.name());
    const says = this.commands.length > 0 ? 'lists the commands' : 'says what it takes';
    this.showHelpAfterError(`(${names.join(' ')} --help ${says})`);
    return super.error(message, options);
  }
}

/** Prose is filled anew; lines that are indented are examples, and stay. */
export function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  let filling = false;
  for (const line of text.split('\n')) {
    const isProse = /^\S/.test(line);
    if (!isProse) lines.push(line);
    else if (!filling) lines.push(...filled(line, width));
    else lines.push(...filled(`${lines.pop() ?? ''} ${line}`, width));
    filling = isProse;
  }
  return lines.join('\n');
}

function filled(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
