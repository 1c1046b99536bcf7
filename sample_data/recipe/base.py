"""Step "base": the base model, a small Llama trained from nothing on the documents."""

from __future__ import annotations

import time
from pathlib import Path

from sample_data.recipe import documents, tokenizer, training
from sample_data.recipe.config import Config
from sample_data.recipe.countdown import Key


def build(config: Config, folder: Path, seed: int, forbidden: set[Key]) -> None:
    """Trains and saves the base model of one seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    start, cpu = time.monotonic(), time.process_time()
    torch.manual_seed(seed)
    words = tokenizer.build(config.model.max_position_embeddings)
    texts = [text for _, text in documents.documents(config, seed, forbidden)]
    rows = [[*ids, words.eos_token_id] for ids in words(texts)["input_ids"]]
    shape = LlamaConfig(
        vocab_size=len(words),
        hidden_size=config.model.hidden_size,
        intermediate_size=config.model.intermediate_size,
        num_hidden_layers=config.model.num_hidden_layers,
        num_attention_heads=config.model.num_attention_heads,
        num_key_value_heads=config.model.num_attention_heads,
        max_position_embeddings=config.model.max_position_embeddings,
        tie_word_embeddings=config.model.tie_word_embeddings,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    model = LlamaForCausalLM(shape)
    loss = training.train(model, rows, words.pad_token_id, config.base, seed, "base")
    facts = {
        "step": "base",
        "seed": seed,
        "documents": len(rows),
        "tokens": sum(map(len, rows)),
        "parameters": sum(p.numel() for p in model.parameters()),
        "loss": loss,
        "seconds": round(time.monotonic() - start),
        "cpu_seconds": round(time.process_time() - cpu),
    }
    training.save_model(model, words, folder, facts)
