# torch.nn.functional where a name takes more, or others, than torch's operator of that name.
import torch


def relu(input, inplace=False):
    return torch.relu_(input) if inplace else torch.relu(input)


def relu_(input):
    return torch.relu_(input)


def relu6(input, inplace=False):
    return torch.relu6(input)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    return torch.leaky_relu(input, negative_slope)


def elu(input, alpha=1.0, inplace=False):
    return torch.elu(input, alpha)


def selu(input, inplace=False):
    return torch.selu(input)


def celu(input, alpha=1.0, inplace=False):
    return torch.celu(input, alpha)


def silu(input, inplace=False):
    return torch.silu(input)


def mish(input, inplace=False):
    return torch.mish(input)


def hardswish(input, inplace=False):
    return torch.hardswish(input)


def hardsigmoid(input, inplace=False):
    return torch.hardsigmoid(input)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    return torch.hardtanh(input, min_val, max_val)


def threshold(input, threshold, value, inplace=False):
    return torch.threshold(input, threshold, value)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    return torch.leaky_relu(input, (lower + upper) / 2)


def softsign(input):
    return input / (torch.abs(input) + 1)


def tanhshrink(input):
    return input - torch.tanh(input)


def logsigmoid(input):
    return torch.log_sigmoid(input)


def sigmoid(input):
    return torch.sigmoid(input)


def tanh(input):
    return torch.tanh(input)


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    if dim is None:
        dim = 0 if input.dim() in (0, 1, 3) else 1
    return torch.softmax(input, dim, dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    if dim is None:
        dim = 0 if input.dim() in (0, 1, 3) else 1
    return torch.log_softmax(input, dim, dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    return softmax(-input, dim)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    _uncork.fail("gumbel_softmax draws random numbers")


def dropout(input, p=0.5, training=True, inplace=False):
    if training and p > 0:
        _uncork.fail("F.dropout without training=self.training drops at random in eval() too; a prediction can't repeat that")
    return input



dropout1d = dropout2d = dropout3d = alpha_dropout = feature_alpha_dropout = dropout


def _pool(f, f_indices, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    if stride is None:
        stride = kernel_size
    if return_indices:
        return f_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return f(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    return _pool(torch.max_pool1d, torch.max_pool1d_with_indices, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    return _pool(torch.max_pool2d, torch.max_pool2d_with_indices, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    return _pool(torch.max_pool3d, torch.max_pool3d_with_indices, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=True):
    return torch.max_pool2d_with_indices(input, kernel_size, kernel_size if stride is None else stride, padding, dilation, ceil_mode)


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    return torch.avg_pool1d(input, kernel_size, kernel_size if stride is None else stride, padding, ceil_mode, count_include_pad)


def avg_pool2d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    return torch.avg_pool2d(input, kernel_size, kernel_size if stride is None else stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    return torch.avg_pool3d(input, kernel_size, kernel_size if stride is None else stride, padding, ceil_mode, count_include_pad, divisor_override)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    r = torch.adaptive_max_pool1d(input, output_size)
    return r if return_indices else r[0]


def adaptive_max_pool2d(input, output_size, return_indices=False):
    r = torch.adaptive_max_pool2d(input, output_size)
    return r if return_indices else r[0]


def adaptive_max_pool3d(input, output_size, return_indices=False):
    r = torch.adaptive_max_pool3d(input, output_size)
    return r if return_indices else r[0]


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    if stride is None:
        stride = kernel_size
    k = _pair(kernel_size)
    s = _pair(stride)
    p = _pair(padding)
    if output_size is None:
        h = (input.size(-2) - 1) * s[0] - 2 * p[0] + k[0]
        w = (input.size(-1) - 1) * s[1] - 2 * p[1] + k[1]
        output_size = [h, w]
    return torch.max_unpool2d(input, indices, list(output_size)[-2:])


def _pair(v):
    return v if isinstance(v, (tuple, list)) else (v, v)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    k = _pair(kernel_size)
    out = avg_pool2d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return (torch.sign(out) * relu(torch.abs(out))).mul(k[0] * k[1]).pow(1.0 / norm_type)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    out = avg_pool1d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return (torch.sign(out) * relu(torch.abs(out))).mul(kernel_size).pow(1.0 / norm_type)


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False):
    rank = input.dim() - 2
    align = bool(align_corners)
    if isinstance(scale_factor, (tuple, list)):
        scale = [float(s) for s in scale_factor]
    elif scale_factor is not None:
        scale = [float(scale_factor)] * rank
    else:
        scale = None
    if size is not None and not isinstance(size, (tuple, list)):
        size = [size] * rank
    if scale is not None and recompute_scale_factor:
        size = [int(input.size(i + 2) * scale[i]) for i in range(rank)]
        scale = None
    if mode == "area":
        if size is None:
            size = [int(input.size(i + 2) * scale[i]) for i in range(rank)]
        return [torch.adaptive_avg_pool1d, torch.adaptive_avg_pool2d, torch.adaptive_avg_pool3d][rank - 1](input, size)
    if mode == "nearest":
        f = [torch.upsample_nearest1d, torch.upsample_nearest2d, torch.upsample_nearest3d][rank - 1]
        return f(input, size, scale)
    if mode == "nearest-exact":
        f = [torch._upsample_nearest_exact1d, torch._upsample_nearest_exact2d, torch._upsample_nearest_exact3d][rank - 1]
        return f(input, size, scale)
    if antialias:
        f = torch._upsample_bilinear2d_aa if mode == "bilinear" else torch._upsample_bicubic2d_aa
        return f(input, size, align, scale)
    if mode == "linear":
        return torch.upsample_linear1d(input, size, align, scale)
    if mode == "bilinear":
        return torch.upsample_bilinear2d(input, size, align, scale)
    if mode == "trilinear":
        return torch.upsample_trilinear3d(input, size, align, scale)
    if mode == "bicubic":
        return torch.upsample_bicubic2d(input, size, align, scale)
    _uncork.fail("interpolate in mode " + mode)


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    return interpolate(input, size, scale_factor, "bilinear", True)


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    modes = {"bilinear": 0, "nearest": 1, "bicubic": 2}
    pads = {"zeros": 0, "border": 1, "reflection": 2}
    return torch.grid_sampler(input, grid, modes[mode], pads[padding_mode], bool(align_corners))


def affine_grid(theta, size, align_corners=None):
    return torch.affine_grid_generator(theta, size, bool(align_corners))


def pad(input, pad, mode="constant", value=None):
    return torch.pad(input, list(pad), mode, value)


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05):
    return torch.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, False)


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-05):
    return torch.instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, False)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05):
    return torch.layer_norm(input, list(normalized_shape), weight, bias, eps)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    return torch.rms_norm(input, list(normalized_shape), weight, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    return torch.group_norm(input, num_groups, weight, bias, eps)


def local_response_norm(input, size, alpha=0.0001, beta=0.75, k=1.0):
    if input.dim() == 3:
        return local_response_norm(input.unsqueeze(3), size, alpha, beta, k).squeeze(3)
    div = input.mul(input).unsqueeze(1)
    div = torch.pad(div, [0, 0, 0, 0, size // 2, (size - 1) // 2], "constant", 0.0)
    div = torch.avg_pool3d(div, [size, 1, 1], [1, 1, 1]).squeeze(1)
    return input / div.mul(alpha).add(k).pow(beta)


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    return input / input.norm(p, dim, True).clamp_min(eps).expand_as(input)


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    return torch.embedding(weight, input)


def embedding_bag(input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode="mean", sparse=False, per_sample_weights=None, include_last_offset=False, padding_idx=None):
    if input.dim() == 2:
        rows = torch.embedding(weight, input)
        if per_sample_weights is not None:
            rows = rows * per_sample_weights.unsqueeze(-1)
        if mode == "sum":
            return rows.sum(1)
        return rows.mean(1) if mode == "mean" else rows.amax(1)
    code = {"sum": 0, "mean": 1, "max": 2}[mode]
    return torch.embedding_bag(weight, input, offsets, False, code, False, per_sample_weights, include_last_offset, padding_idx)[0]


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    return torch.im2col(input, _pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride))


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    return torch.col2im(input, _pair(output_size), _pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride))


def one_hot(tensor, num_classes=-1):
    return torch.one_hot(tensor, num_classes)


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if enable_gqa and query.size(-3) != key.size(-3):
        n = query.size(-3) // key.size(-3)
        key = key.repeat_interleave(n, -3)
        value = value.repeat_interleave(n, -3)
    return torch.scaled_dot_product_attention(query, key, value, attn_mask, 0.0, is_causal, scale=scale)


def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0):
    _uncork.fail("a loss is computed, which a prediction hasn't targets for")


nll_loss = mse_loss = l1_loss = smooth_l1_loss = binary_cross_entropy = binary_cross_entropy_with_logits = kl_div = cross_entropy
