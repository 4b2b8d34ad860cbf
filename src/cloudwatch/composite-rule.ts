import { DefinitionError } from '../core/errors.ts';
import type { AlarmState } from './alarm.ts';

/** The rule of a composite alarm as a tree. */
export type CompositeRule =
  | { readonly type: 'constant'; readonly is: boolean }
  | { readonly type: 'state'; readonly state: AlarmState; readonly alarm: string }
  | { readonly type: 'not'; readonly rule: CompositeRule }
  | { readonly type: 'and' | 'or'; readonly rules: readonly CompositeRule[] };

const TOKEN =
  /\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]*)"|([^()"\s]+))\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))/gy;

interface Token {
  readonly text: string;
  readonly rule?: CompositeRule;
}

/**
 * Reads a rule such as `ALARM("a") AND NOT (OK(b) OR TRUE)`; alarms by their name or ARN. NOT is tighter
 * than AND, AND than OR.
 * docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
 *
 * @throws DefinitionError for anything else
 */
export function parseCompositeRule(text: string): CompositeRule {
  const tokens = tokensOf(text);
  let next = 0;
  const peek = () => tokens[next]?.text ?? '';
  const wrong = (expected: string) => new DefinitionError(`rule ${text}`, peek(), expected);
  const several = (word: 'AND' | 'OR', inner: () => CompositeRule): CompositeRule => {
    const rules = [inner()];
    while (peek() === word) {
      next += 1;
      rules.push(inner());
    }
    const [only] = rules;
    if (rules.length === 1 && only !== undefined) return only;
    return { type: word === 'AND' ? 'and' : 'or', rules };
  };
  const either = () => several('OR', () => several('AND', single));
  const single = (): CompositeRule => {
    const token = tokens[next];
    next += 1;
    if (token?.rule !== undefined) return token.rule;
    if (token?.text === 'NOT') return { type: 'not', rule: single() };
    if (token?.text !== '(') {
      next -= 1;
      throw wrong('a state of an alarm, NOT, TRUE, FALSE or (');
    }
    const inner = either();
    if (peek() !== ')') throw wrong(')');
    next += 1;
    return inner;
  };
  const rule = either();
  if (next < tokens.length) throw wrong('the end');
  return rule;
}

function tokensOf(text: string): readonly Token[] {
  const trimmed = text.trim();
  const found = [...trimmed.matchAll(TOKEN)];
  const read = found.reduce((length, [all]) => length + all.length, 0);
  if (read < trimmed.length) {
    throw new DefinitionError(`rule ${text}`, trimmed.slice(read), 'the rule of a composite alarm');
  }
  return found.map(([all, state, quoted, plain, word, parenthesis]) => {
    if (state !== undefined) {
      const alarm = nameOf(quoted ?? plain ?? '');
      return { text: all, rule: { type: 'state', state: state as AlarmState, alarm } };
    }
    if (word === 'TRUE' || word === 'FALSE') {
      return { text: word, rule: { type: 'constant', is: word === 'TRUE' } };
    }
    return { text: word ?? parenthesis ?? '' };
  });
}

/** The name of an alarm that is given by name or ARN. */
export function nameOf(alarm: string): string {
  return /^arn:[^:]*:cloudwatch:[^:]*:[^:]*:alarm:(.+)$/.exec(alarm)?.[1] ?? alarm;
}

/** True when the alarms' states fulfil a rule. */
export function isFulfilled(
  rule: CompositeRule,
  stateOf: (alarm: string) => AlarmState | undefined,
): boolean {
  switch (rule.type) {
    case 'constant':
      return rule.is;
    case 'state':
      return stateOf(rule.alarm) === rule.state;
    case 'not':
      return !isFulfilled(rule.rule, stateOf);
    case 'and':
      return rule.rules.every((one) => isFulfilled(one, stateOf));
    case 'or':
      return rule.rules.some((one) => isFulfilled(one, stateOf));
  }
}

/** Names of the alarms in a rule, each once. */
export function alarmsOf(rule: CompositeRule): readonly string[] {
  if (rule.type === 'constant') return [];
  if (rule.type === 'state') return [rule.alarm];
  const rules = rule.type === 'not' ? [rule.rule] : rule.rules;
  return [...new Set(rules.flatMap(alarmsOf))];
}
