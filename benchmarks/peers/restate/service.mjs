// An account as a virtual object of Restate: one key at a time, its balance kept by Restate.

// What the SDK uses and Node 20 does not have yet.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((kept, broken) => ([resolve, reject] = [kept, broken]));
  return { promise, resolve, reject };
};

const restate = await import("@restatedev/restate-sdk");

const account = restate.object({
  name: "Account",
  handlers: {
    deposit: async (context, amount) => {
      const balance = ((await context.get("balance")) ?? 0) + amount;
      context.set("balance", balance);
      return balance;
    },
  },
});

await restate.endpoint().bind(account).listen(Number(process.env.SERVICE_PORT));
