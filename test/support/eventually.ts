/** Looks again and again until the check passes; fails with its last error after the patience. Milliseconds. */
export async function eventually<T>(check: () => T | Promise<T>, patience = 10_000): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
