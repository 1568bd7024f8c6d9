import { expect, it } from 'vitest';

import { policyPieces } from './policy';

it('marks what is particular in a policy, and changes nothing of it', () => {
  const policy = '{ "Resource": ["arn:aws:iot:eu:1:topicfilter/cmd/+/resp", "arn:aws:iot:eu:1:client/wilco-*"] }';
  const pieces = policyPieces(policy);
  expect(pieces.filter((piece) => piece.particular).map((piece) => piece.text)).toEqual(['cmd/+/resp', 'wilco-*']);
  expect(pieces.map((piece) => piece.text).join('')).toBe(policy);
});
