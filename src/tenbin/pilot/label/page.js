"use strict";
(() => {
  const { total, scale, words } = JSON.parse(document.getElementById("tenbin-label").textContent);
  const at = (id) => document.getElementById(id);
  const steps = [...document.querySelectorAll("[data-step]")];
  let labelled = Array(total).fill(false);
  let number = 0;
  let busy = false;

  async function ask(path, body) {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    let answer;
    try {
      answer = await fetch(path, sent);
    } catch {
      throw new Error(words.lost);
    }
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.error || `${words.lost} (${answer.status})`);
    return said;
  }

  function tell(message, isWrong) {
    at("told").textContent = message;
    at("told").classList.toggle("wrong", isWrong);
  }

  function fill(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
  }

  function count() {
    const done = labelled.filter(Boolean).length;
    at("progress").value = done / total;
    return done;
  }

  function drawTurns(turns) {
    at("turns").replaceChildren(...turns.map(({ role, text }) => {
      const box = document.createElement("div");
      box.className = "said";
      box.dir = "auto";
      box.tabIndex = 0;
      if (turns.length > 1) {
        const who = document.createElement("span");
        who.className = "role";
        who.textContent = words.roles[role] || role;
        box.append(who);
      }
      box.append(text);
      return box;
    }));
  }

  function draw(item) {
    drawTurns(item.turns);
    at("reference-part").hidden = item.reference === null;
    at("reference").textContent = item.reference ?? "";
    const isEmpty = item.answer.trim() === "";
    at("answer").textContent = isEmpty ? words.empty : item.answer;
    at("answer").classList.toggle("empty", isEmpty);
    at("note").value = item.given ? item.given.note : "";
    steps.forEach((step) => step.setAttribute("aria-pressed", String(item.given !== null && Number(step.dataset.step) === item.given.step)));
    document.querySelectorAll(".said").forEach((box) => { box.scrollTop = 0; });
  }

  async function show(k) {
    number = k;
    const isEnd = k >= total;
    at("end").hidden = !isEnd;
    if (isEnd) at("item").hidden = true;
    steps.forEach((step) => { step.disabled = isEnd; });
    at("skip").disabled = isEnd;
    at("back").disabled = k === 0;
    if (isEnd) {
      const rest = labelled.indexOf(false);
      if (rest >= 0) return show(rest);
      at("end-title").textContent = fill(words.done_title, { total });
      at("end-text").textContent = words.done;
      at("finish").focus();
    } else {
      draw(await ask(`answer/${k}`));
      at("item").hidden = false; // not before: a key pressed at an empty frame would be lost
    }
    tell(fill(words.progress, { at: Math.min(k + 1, total), total, done: count() }), false);
    window.scrollTo(0, 0);
  }

  function following(k) {
    const later = labelled.findIndex((done, i) => i > k && !done);
    return later >= 0 ? later : total;
  }

  async function guarded(work) {
    if (busy) return;
    busy = true;
    try {
      await work();
    } catch (error) {
      tell(error.message, true);
    } finally {
      busy = false;
    }
  }

  const score = (step) => guarded(async () => {
    if (number >= total) return;
    const said = await ask(`answer/${number}`, { step, note: at("note").value });
    labelled = said.labelled;
    at("note").blur();
    await show(following(number));
  });
  const skip = () => guarded(() => (number < total ? show(number + 1) : undefined));
  const back = () => guarded(() => (number > 0 ? show(number - 1) : undefined));
  const finish = () => guarded(async () => {
    await ask("finish", {});
    at("item").hidden = true;
    at("end").hidden = false;
    at("end-title").textContent = words.finished_title;
    at("end-text").textContent = words.finished;
    document.querySelector(".desk").hidden = true;
  });

  steps.forEach((step) => step.addEventListener("click", () => score(Number(step.dataset.step))));
  at("skip").addEventListener("click", skip);
  at("back").addEventListener("click", back);
  at("finish").addEventListener("click", finish);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target === at("note")) {
      if (event.key === "Escape") at("note").blur();
      return;
    }
    const step = Number(event.key) - 1;
    if (/^[1-9]$/.test(event.key) && step < scale) {
      if (!event.repeat) score(step); // a key held down would label the answers behind this one unread
    }
    else if (event.key === "ArrowRight" || event.key === "s") skip();
    else if (event.key === "ArrowLeft" || event.key === "b") back();
    else if (event.key === "n" && number < total) at("note").focus();
    else return;
    event.preventDefault();
  });

  guarded(async () => {
    labelled = (await ask("state")).labelled;
    await show(following(-1));
  });
})();
