"""Tensors by which a single file of a published model is known that does not open here.

By the names of the families in `families`: all tensors of one of the sets, wherever their names begin; "*" at the start
stands for anything within a name. The more special families stand before those whose names they share.
"""

from __future__ import annotations

SIGNS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Flux 3": (("early_stream_modulations.image.linear.weight",),),
    "Nucleus-Image": (("txt_norm.weight", "time_text_embed.norm.weight"),),
    "GLM-Image": (("glyph_projector.net.0.proj.weight",),),
    "CogView": (("time_condition_embed.timestep_embedder.linear_1.weight", "patch_embed.text_proj.weight"),),
    "Bria": (("caption_projection.0.linear.weight", "transformer_blocks.0.attn.add_q_proj.weight"),),
    "Sana, a video model": (("caption_norm.weight", "patch_embedding.weight"),),
    "I2VGen-XL": (("image_latents_proj_in.0.weight",),),
    "ModelScope's text-to-video": (("transformer_in.proj_in.weight", "conv_in.weight"),),
    "PRX": (("img_in.weight", "blocks.0.attention.img_qkv_proj.weight"),),
    "Flux 2": (
        ("double_stream_modulation_img.lin.weight",),
        ("double_stream_modulation_img.linear.weight",),
    ),
    "Flux Redux": (("redux_up.weight", "redux_down.weight"),),
    "Chroma": (
        ("distilled_guidance_layer.in_proj.weight",),
        ("distilled_guidance_layer.norms.0.scale",),
        ("distilled_guidance_layer.norms.0.weight",),
    ),
    "Ovis-Image": (("double_blocks.0.img_mlp.gate_proj.weight",),),
    "Qwen-Image": (
        ("txt_norm.weight", "transformer_blocks.0.img_mod.1.weight"),
        ("txt_in.text_norm.weight", "img_in.weight"),
    ),
    "Z-Image": (
        ("cap_embedder.1.weight", "cap_pad_token"),
        ("all_x_embedder.2-1.weight",),
    ),
    "Lumina 2": (
        ("cap_embedder.1.weight", "noise_refiner.0.attention.k_norm.weight"),
        ("time_caption_embed.caption_embedder.1.weight", "noise_refiner.0.attn.norm_k.weight"),
    ),
    "Lumina-Next": (("cap_embedder.1.weight", "layers.0.attention.wk_y.weight"),),
    "OmniGen": (
        ("time_caption_embed.timestep_embedder.linear_1.bias",),
        ("llm.layers.0.self_attn.qkv_proj.weight", "time_token.mlp.0.weight"),
    ),
    "HiDream": (
        ("caption_projection.0.linear.weight", "double_stream_blocks.0.block.attn1.to_q.weight"),
        ("caption_projection.0.linear.weight", "double_stream_blocks.0.block.ff_i.shared_experts.w1.weight"),
        ("t_embedder1.mlp.0.weight", "x_embedder.proj1.weight"),
    ),
    "AuraFlow": (
        ("double_layers.0.attn.w1q.weight",),
        ("joint_transformer_blocks.0.attn.add_k_proj.weight", "context_embedder.weight"),
    ),
    "PixArt or a relative of it": (
        ("t_block.1.weight", "y_embedder.y_proj.fc1.weight"),
        ("adaln_single.emb.timestep_embedder.linear_1.bias", "pos_embed.proj.bias"),
    ),
    "Sana": (
        ("attention_y_norm.weight",),
        ("caption_norm.weight", "transformer_blocks.0.ff.conv_inverted.weight"),
    ),
    "Hunyuan-DiT": (("mlp_t5.0.weight", "x_embedder.proj.weight"),),
    "Krea 2": (
        ("txtfusion.projector.weight",),
        ("text_fusion.projector.weight",),
    ),
    "Ideogram 4": (("embed_image_indicator.weight",),),
    "Wan or a relative of it": (
        ("head.modulation", "patch_embedding.weight"),
        ("condition_embedder.text_embedder.linear_1.weight", "patch_embedding.weight"),
    ),
    "HunyuanVideo or HunyuanImage": (
        ("txt_in.individual_token_refiner.blocks.0.norm1.weight",),
        ("context_embedder.token_refiner.refiner_blocks.0.norm1.weight",),
    ),
    "LTX-2": (
        ("audio_adaln_single.linear.weight",),
        ("audio_proj_in.weight", "audio_scale_shift_table"),
    ),
    "LTX-Video": (
        ("adaln_single.emb.timestep_embedder.linear_1.bias", "patchify_proj.weight"),
        ("time_embed.emb.timestep_embedder.linear_1.bias", "proj_in.weight", "scale_shift_table"),
    ),
    "CogVideoX": (
        ("blocks.0.norm1.linear.weight", "patch_embed.text_proj.weight"),
        ("transformer_blocks.0.norm1.linear.weight", "patch_embed.text_proj.weight"),
    ),
    "Mochi": (
        ("t5_yproj.weight",),
        ("time_embed.pooler.to_kv.weight", "pos_frequencies"),
    ),
    "Cosmos": (
        ("blocks.block0.blocks.0.block.attn.to_q.0.weight",),
        ("blocks.0.mlp.layer1.weight", "x_embedder.proj.1.weight"),
        ("time_embed.t_embedder.linear_1.weight", "norm_out.linear_1.weight"),
    ),
    "Stable Video Diffusion": (
        ("*.time_stack.0.attn1.to_q.weight",),
        ("*.temporal_transformer_blocks.0.attn1.to_q.weight",),
    ),
    "Kandinsky 5 or 6": (
        ("visual_transformer_blocks.0.cross_attention.key_norm.weight",),
        ("visual_embeddings.in_layer.weight",),
    ),
    "Stable Cascade": (
        ("clf.1.weight", "clip_txt_mapper.weight"),
        ("clf.1.weight", "clip_mapper.weight"),
        ("clip_txt_pooled_mapper.weight",),
    ),
    "Hunyuan3D": (
        ("latent_in.weight", "cond_in.weight"),
        ("t_embedder.mlp.2.weight", "blocks.0.attn1.k_norm.weight"),
    ),
    "Stable Audio": (
        ("transformer.rotary_pos_emb.inv_freq", "to_timestep_embed.0.weight"),
        ("postprocess_conv.weight", "cross_attention_proj.0.weight"),
        ("memory_tokens", "to_timestep_embed.0.weight"),
    ),
    "ACE-Step": (
        ("genre_embedder.weight",),
        ("encoder.lyric_encoder.layers.0.input_layernorm.weight",),
    ),
    "score_sde (Song et al. 2021)": (("all_modules.0.weight", "all_modules.1.weight", "all_modules.2.weight"),),
    "a network of NVIDIA's EDM": (
        ("map_layer0.weight", "map_layer1.weight"),
        ("emb_noise.weight", "emb_fourier.freqs"),
    ),
    "U-ViT": (("in_blocks.0.attn.qkv.weight", "out_blocks.0.skip_linear.weight"),),
    "an older denoising-diffusion-pytorch": (
        ("denoise_fn.time_mlp.1.weight",),
        ("denoise_fn.downs.0.0.mlp.1.weight",),
        ("denoise_fn.final_conv.1.weight",),
    ),
    "Imagen of lucidrains": (("unets.0.init_conv.convs.0.weight",),),
}
