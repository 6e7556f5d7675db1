const patienceMs = 5000;
const pauseMs = 20;

/** Does again what a KV in a file refuses while another process writes to it, for five seconds at most. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + patienceMs; ; ) {
    try {
      return await work();
    } catch (error) {
      if (!/database is locked/.test(String(error)) || Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMs));
    }
  }
}
