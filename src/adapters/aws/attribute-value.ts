import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { InvariantError, show } from '../../core/errors.ts';
import type { Attribute, Item } from '../../ports/table.ts';

/** DynamoDB's form of an attribute. */
export function toAttributeValue(value: Attribute): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  return { B: value };
}

/** DynamoDB's form of an item. */
export function toAttributeValues(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [name, toAttributeValue(value)]),
  );
}

/** An item from DynamoDB's form. @throws InvariantError for types that no item of ours has */
export function fromAttributeValues(stored: Record<string, AttributeValue>): Item {
  const attributes = Object.entries(stored).map(([name, value]) => [
    name,
    fromAttributeValue(name, value),
  ]);
  return Object.fromEntries(attributes) as Item;
}

function fromAttributeValue(name: string, value: AttributeValue): Attribute {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.B !== undefined) return new Uint8Array(value.B);
  throw new InvariantError(
    `attribute ${name}: got type ${show(Object.keys(value).join())}, expected S, N or B`,
  );
}
