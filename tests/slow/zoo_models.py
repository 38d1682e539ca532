#!/usr/bin/env python3
"""Architectures of timm and transformers, by their state dicts alone, against genuine torch: make test-slow.

    tests/slow/zoo_models.py UNCORK [--only TEXT[,TEXT]] [--family TEXT] [--anonymous]

Each is built with random seeded weights (batch norms' statistics and layer scales too), saved the way the library saves it,
run by torch in eval mode and by `uncork run`, and compared: |got - want| <= 1e-4 |want| + 1e-5 max|want|, the same five best.
A timm file is named after its model, as timm's releases are; with --anonymous it isn't, and a refusal counts as well as a
right answer. Needs Python with torch, torchvision, timm, transformers; one file at a time lies in a temporary folder.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch

from bound import compare

warnings.filterwarnings("ignore")
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = os.environ["TQDM_DISABLE"] = "1"

# family: models of timm, each with the side of its pictures where it isn't 96 (or what a fixed grid asks for)
TIMM = {
    "resnet": "resnet18 resnet26 resnet26t resnet50c resnet50d resnet33ts seresnet18 seresnet50 resnext50_32x4d ecaresnet26t "
    "ecaresnet50d wide_resnet50_2 resnet50_gn resnetrs50 resnetblur18 skresnet18 skresnext50_32x4d legacy_seresnet18 legacy_seresnet50 "
    "legacy_seresnext26_32x4d resnest14d resnest50d cspresnet50 resnetv2_50 resnetv2_50x1_bit resnetv2_50d ese_vovnet19b_dw "
    "res2net50_26w_4s res2net50d res2next50 dla34 dla60 dla46_c dla60x dla60_res2net hrnet_w18_small hrnet_w18 "
    "tresnet_m dpn68 dpn68b selecsls42b",
    "mobile": "mobilenetv1_100 mobilenetv1_125 mobilenetv2_050 mobilenetv2_100 mobilenetv2_110d mobilenetv3_large_100 mobilenetv3_small_100 "
    "mobilenetv3_small_050 mobilenetv3_rw tf_mobilenetv3_large_100 tf_mobilenetv3_small_075 tf_mobilenetv3_large_minimal_100 "
    "mobilenetv4_conv_small mobilenetv4_conv_medium mobilenetv4_hybrid_medium mobilenetv4_conv_small_050 mobilenetv4_conv_aa_large mnasnet_100 mnasnet_small semnasnet_100 spnasnet_100 fbnetc_100 fbnetv3_b "
    "tinynet_a tinynet_e lcnet_050 lcnet_100 hardcorenas_a hardcorenas_f rexnet_100 rexnetr_200 ghostnet_050 ghostnet_100 ghostnetv2_100 ghostnetv3_100 "
    "mixnet_s mixnet_m tf_mixnet_s mobilenet_edgetpu_v2_s mobilenet_edgetpu_100 repghostnet_050 mobileone_s0",
    "efficient": "efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b0_gn efficientnet_b0_g8_gn tf_efficientnet_b0 tf_efficientnet_b1 tf_efficientnet_lite0 efficientnet_lite0 "
    "efficientnet_es efficientnet_es_pruned efficientnet_em efficientnet_el tf_efficientnet_es efficientnet_cc_b0_4e tf_efficientnet_cc_b0_4e efficientnetv2_rw_t efficientnetv2_rw_s gc_efficientnetv2_rw_t efficientnetv2_s tf_efficientnetv2_s tf_efficientnetv2_b0 "
    "efficientnet_b1_pruned efficientnet_blur_b0 efficientnet_x_b3 efficientnet_h_b5",
    "regnet": "regnetx_002 regnety_002 regnetz_005 regnetz_b16 regnetv_040 regnety_040_sgn",
    "nfnet": "dm_nfnet_f0 nfnet_l0 eca_nfnet_l0 nf_resnet26 nf_regnet_b0",
    "old": "xception xception41 xception65 xception41p inception_v3 inception_v4 inception_resnet_v2 vgg11 vgg11_bn densenet121 nasnetalarge pnasnet5large",
    "convnext": "convnext_atto convnext_nano convnext_tiny convnextv2_atto convnextv2_tiny convnext_tiny_hnf convnext_nano_ols convnext_atto_ols convnextv2_pico "
    "inception_next_atto edgenext_xx_small edgenext_small poolformer_s12 poolformerv2_s12 caformer_s18 convformer_s18 convmixer_768_32",
    "vit": "vit_tiny_patch16_224 vit_small_patch32_224 vit_base_patch16_224 vit_base_patch32_clip_224 vit_base_patch32_clip_quickgelu_224 deit_tiny_patch16_224 deit_tiny_distilled_patch16_224 "
    "deit3_small_patch16_224 vit_small_patch14_dinov2 vit_small_patch14_reg4_dinov2 vit_little_patch16_reg4_gap_256 vit_medium_patch16_gap_240 vit_wee_patch16_reg1_gap_256 "
    "vit_base_patch16_siglip_224 vit_small_patch16_dinov3 vit_small_patch16_224.dino eva02_tiny_patch14_224 eva02_base_patch16_clip_224 beit_base_patch16_224 beitv2_base_patch16_224 beit3_base_patch16_224 "
    "cait_xxs24_224 xcit_nano_12_p16_224 vit_relpos_small_patch16_224 vit_srelpos_small_patch16_224 levit_128s levit_256 levit_conv_128s pit_ti_224 pit_ti_distilled_224 "
    "vit_base_r26_s32_224 vit_tiny_r_s16_p8_224 tnt_s_legacy_patch16_224 visformer_tiny convit_tiny crossvit_tiny_240 coat_tiny volo_d1_224 mvitv2_tiny twins_pcpvt_small twins_svt_small pvt_v2_b0 "
    "efficientformer_l1 fastvit_t8 repvit_m0_9 tiny_vit_5m_224 maxvit_tiny_tf_224 coatnet_nano_rw_224 nest_tiny gcvit_xxtiny focalnet_tiny_srf davit_tiny hiera_tiny_224 efficientvit_b0 efficientvit_m0",
    "swin": "swin_tiny_patch4_window7_224 swin_small_patch4_window7_224 swinv2_tiny_window8_256 swinv2_tiny_window16_256 swinv2_cr_tiny_ns_224 swin_s3_tiny_224",
    "mixer": "mixer_s32_224 mixer_s16_224 gmixer_12_224 resmlp_12_224 gmlp_ti16_224",
    "mobilevit": "mobilevit_xxs mobilevit_xs mobilevit_s mobilevitv2_050 mobilevitv2_100",
}


def transformers_cases():
    import transformers as t

    vit = dict(hidden_size=96, num_hidden_layers=3, num_attention_heads=4, intermediate_size=192, image_size=64, patch_size=16, num_labels=7)
    yield "vit", t.ViTForImageClassification, t.ViTConfig(**vit), 64
    yield "vit_gelu_new", t.ViTForImageClassification, t.ViTConfig(**vit, hidden_act="gelu_new"), 64
    yield "vit_model", t.ViTModel, t.ViTConfig(**vit), 64
    yield "deit", t.DeiTForImageClassification, t.DeiTConfig(**vit), 64
    yield "deit_distilled", t.DeiTForImageClassificationWithTeacher, t.DeiTConfig(**vit), 64
    yield "beit", t.BeitForImageClassification, t.BeitConfig(**vit, use_relative_position_bias=True), 64
    yield "beit_shared", t.BeitForImageClassification, t.BeitConfig(**vit, use_shared_relative_position_bias=True, use_absolute_position_embeddings=True, use_mean_pooling=False), 64
    yield "data2vec", t.Data2VecVisionForImageClassification, t.Data2VecVisionConfig(**vit, use_relative_position_bias=True), 64
    dino = dict(vit, patch_size=14, image_size=56)
    dino.pop("intermediate_size")
    yield "dinov2", t.Dinov2ForImageClassification, t.Dinov2Config(**dino), 56
    yield "dinov2_swiglu", t.Dinov2ForImageClassification, t.Dinov2Config(**dino, use_swiglu_ffn=True), 56
    yield "dinov2_model", t.Dinov2Model, t.Dinov2Config(**dino), 56
    yield "dinov2_registers", t.Dinov2WithRegistersForImageClassification, t.Dinov2WithRegistersConfig(**dino), 56
    small = dict(hidden_sizes=[16, 32, 48, 64], num_labels=7)
    yield "resnet_basic", t.ResNetForImageClassification, t.ResNetConfig(**small, depths=[2, 1, 2, 1], layer_type="basic", embedding_size=16), 64
    yield "resnet", t.ResNetForImageClassification, t.ResNetConfig(**small, depths=[1, 2, 1, 1], embedding_size=16), 64
    yield "resnet_in_first", t.ResNetForImageClassification, t.ResNetConfig(**small, depths=[1, 2, 1, 1], embedding_size=16, downsample_in_bottleneck=True, downsample_in_first_stage=True), 64
    yield "regnet", t.RegNetForImageClassification, t.RegNetConfig(**small, depths=[1, 2, 1, 1], groups_width=8, embedding_size=16), 64
    yield "regnet_x", t.RegNetForImageClassification, t.RegNetConfig(**small, depths=[1, 2, 1, 1], groups_width=8, embedding_size=16, layer_type="x"), 64
    yield "convnext", t.ConvNextForImageClassification, t.ConvNextConfig(**small, depths=[1, 1, 2, 1]), 64
    yield "convnextv2", t.ConvNextV2ForImageClassification, t.ConvNextV2Config(**small, depths=[1, 1, 2, 1]), 64
    yield "convnext_model", t.ConvNextModel, t.ConvNextConfig(**small, depths=[1, 1, 2, 1]), 64
    swin = dict(embed_dim=24, depths=[2, 2], num_heads=[2, 4], window_size=4, image_size=64, num_labels=7)
    yield "swin", t.SwinForImageClassification, t.SwinConfig(**swin), 64
    yield "swinv2", t.Swinv2ForImageClassification, t.Swinv2Config(**swin), 64
    yield "swinv2_pretrained", t.Swinv2ForImageClassification, t.Swinv2Config(**swin, pretrained_window_sizes=[6, 3]), 64
    yield "mobilenet_v1", t.MobileNetV1ForImageClassification, t.MobileNetV1Config(num_labels=7, image_size=96, depth_multiplier=0.25), 96
    yield "mobilenet_v2", t.MobileNetV2ForImageClassification, t.MobileNetV2Config(num_labels=7, image_size=96), 96
    yield "efficientnet", t.EfficientNetForImageClassification, t.EfficientNetConfig(num_labels=7, image_size=96, width_coefficient=1.0, depth_coefficient=1.0, hidden_dim=1280), 96
    yield "mobilevit", t.MobileViTForImageClassification, t.MobileViTConfig(num_labels=7, image_size=64, hidden_sizes=[32, 48, 64], neck_hidden_sizes=[16, 16, 24, 32, 40, 48, 64]), 64
    yield "mobilevitv2", t.MobileViTV2ForImageClassification, t.MobileViTV2Config(num_labels=7, image_size=64, width_multiplier=0.5), 64
    levit = dict(num_labels=7, image_size=64, hidden_sizes=[32, 48, 64], num_attention_heads=[2, 3, 4], depths=[1, 2, 1], key_dim=[8, 8, 8])
    yield "levit", t.LevitForImageClassification, t.LevitConfig(**levit, down_ops=[["Subsample", 8, 4, 4, 2, 2], ["Subsample", 8, 6, 4, 2, 2]]), 64
    yield "levit_teacher", t.LevitForImageClassificationWithTeacher, t.LevitConfig(**levit, down_ops=[["Subsample", 8, 4, 4, 2, 2], ["Subsample", 8, 6, 4, 2, 2]]), 64
    seg = dict(hidden_sizes=[16, 32, 40, 64], depths=[1, 1, 2, 1], num_attention_heads=[1, 2, 5, 8], decoder_hidden_size=32, num_labels=7)
    yield "segformer", t.SegformerForSemanticSegmentation, t.SegformerConfig(**seg), 64
    yield "segformer_cls", t.SegformerForImageClassification, t.SegformerConfig(**seg), 64
    yield "poolformer", t.PoolFormerForImageClassification, t.PoolFormerConfig(num_labels=7, hidden_sizes=[16, 32, 40, 64], depths=[1, 1, 2, 1]), 64


def clip_cases():
    import transformers as t

    vision = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=1, image_size=64, patch_size=16, projection_dim=32)
    text = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=1, vocab_size=99, projection_dim=32, eos_token_id=98)
    yield "clip_vision", t.CLIPVisionModelWithProjection, t.CLIPVisionConfig(**vision), 64
    yield "clip", t.CLIPModel, t.CLIPConfig(vision_config=vision, text_config=text, projection_dim=32), 64


LOUD = ("pos_embed", "position_embeddings", "relative_position_bias", "cpb_mlp", "position_bias_mlp", "logit_scale", "rel_pos", "cls_token", "dist_token", "reg_token", "attention_biases", "class_embedding")


def norms_of(model):
    return [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]


def set_norms(norms, gain, g):
    for m in norms:
        m.running_mean.copy_(torch.randn(m.running_mean.shape, generator=g) * 0.1)
        m.running_var.copy_(torch.rand(m.running_var.shape, generator=g) * 0.5 + 0.75)
        if m.weight is not None:
            m.weight.copy_((torch.rand(m.weight.shape, generator=g) * 0.5 + 0.75) * gain)
            m.bias.copy_(torch.randn(m.bias.shape, generator=g) * 0.2)


def fill(model, x):
    """Parameters that are all alike or small get numbers that show. Batch norms' gains are the largest that don't let
    rounding grow from layer to layer: then every layer shows in the answer and any right computation gives it."""
    g = torch.Generator().manual_seed(7)
    model.eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.min() == p.max() or any(t in name for t in LOUD):
                p.add_(torch.randn(p.shape, generator=g) * 0.1)
            elif p.dim() == 1 and p.numel() > 1 and p.std() < 1e-4:
                p.add_(torch.randn(p.shape, generator=g) * 0.1)
        norms = norms_of(model)
        if norms:
            for p in model.parameters():
                if p.dim() == 4:
                    p.div_(p.flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-3)
        for gain in (2.0, 1.6, 1.3, 1.1, 0.9, 0.7) if norms else ():
            set_norms(norms, gain, g)
            a, b = model(x), model(x * (1 + 1e-6))
            a, b = (getattr(t, "logits", getattr(t, "last_hidden_state", t)) for t in (a, b))
            if (a - b).abs().max() <= 4e-6 * a.abs().max():
                break


def ask(binary, path, x, want, folder):
    """None when an output is one of the answers; else what is wrong."""
    np.save(f"{folder}/x.npy", x.numpy())
    done = subprocess.run([binary, "run", path, "--input", f"{folder}/x.npy", "--output", f"{folder}/out"], capture_output=True, text=True)
    if done.returncode:
        return f"refused, exit {done.returncode}: {done.stderr.strip()[-220:]}"
    got = [np.load(p) for p in sorted(glob.glob(f"{folder}/out/*.npy"))]
    problems = [compare(g, w.numpy()) for g in got for w in want]
    return None if None in problems else problems[0]


def check_timm(binary, name, folder, anonymous):
    import timm

    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False, num_classes=11)
    size = model.default_cfg["input_size"]
    fixed = model.default_cfg.get("fixed_input_size") or any(t in name for t in ("vit", "swin", "mixer", "mlp", "beit", "eva", "cait", "pit", "twins", "maxvit", "coat", "crossvit", "nest", "tnt", "volo", "vgg"))
    side = size[1] if fixed and "mobilevit" not in name else 128 if "inception" not in name and "nasnet" not in name else 160
    path = f"{folder}/{'m' if anonymous else name}.pth"
    x = torch.rand(2, size[0], side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    fill(model, x)
    torch.save(model.state_dict(), path)
    with torch.no_grad():
        want = model(x)
    return ask(binary, path, x, [want], folder)


def check_transformers(binary, make, config, side, folder, alone):
    torch.manual_seed(0)
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    model = make(config)
    fill(getattr(model, "vision_model", model) if not hasattr(model, "get_image_features") else model.vision_model, x)
    model.eval().save_pretrained(folder)
    with torch.no_grad():
        answer = model.get_image_features(x) if hasattr(model, "get_image_features") else model(x)
    answers = [getattr(answer, k) for k in ("logits", "image_embeds", "pooler_output", "last_hidden_state") if getattr(answer, k, None) is not None]
    path = folder
    if alone:
        path = f"{folder}/weights"
        os.mkdir(path)
        os.rename(f"{folder}/model.safetensors", f"{path}/m.safetensors")
        path += "/m.safetensors"
    return ask(binary, path, x, answers or [answer], folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("uncork")
    parser.add_argument("--only", default="")
    parser.add_argument("--family", default="")
    parser.add_argument("--anonymous", action="store_true")
    args = parser.parse_args()
    only = [t for t in args.only.split(",") if t]
    jobs = [(f, n, None) for f, names in TIMM.items() for n in names.split()]
    if "transformers".startswith(args.family) or args.family == "clip":
        jobs += [("transformers", c[0], c) for c in transformers_cases()] + [("clip", c[0], c) for c in clip_cases()]
    failed = ran = 0
    for family, name, case in jobs:
        if (args.family and args.family != family) or (only and name not in only):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                if case:
                    problem = check_transformers(args.uncork, *case[1:], folder, args.anonymous)
                else:
                    problem = check_timm(args.uncork, name, folder, args.anonymous)
            except Exception as e:
                problem = f"{type(e).__name__}: {str(e)[:150]}"
        ran += 1
        fine = problem is None or (args.anonymous and problem.startswith("refused"))
        failed += not fine
        print(f"{family} {name}: {problem or 'ok'}", flush=True)
    print(f"{ran - failed} of {ran} models answer as torch {torch.__version__}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
