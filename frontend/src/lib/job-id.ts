const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether a job can have this id; asking the gateway for anything else would ask for something else. */
export function isJobId(text: string): boolean {
  return UUID.test(text)
}
