/** A policy to paste, taken apart so that what is particular to this connection stands out. */
export function policyPieces(policy: string): { text: string; particular: boolean }[] {
  return policy
    .split(/((?<=:(?:client|topicfilter|topic)\/)[^"\s]+)/)
    .map((text, i) => ({ text, particular: i % 2 === 1 }))
    .filter((piece) => piece.text !== '');
}
