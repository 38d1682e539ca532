/* Products of matrices. */
#include "import/pytorch/aten.h"

static uc_ref self(uc_aten_call *c) { return uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE); }

/* matmul, mm, bmm, mv, dot: the second argument by place. */
void uc_aten_matmul(uc_aten_call *c)
{
    uc_ref x = self(c), y = uc_aten_operand(c, c->args[1], UNCORK_DTYPE_NONE);
    uc_aten_out(c, uc_t_matmul(c->b, x, y));
}

static uc_ref scaled(uc_aten_call *c, uc_ref x, const char *name)
{
    const uc_pv v = uc_aten_arg(c, name);
    const bool one = v.kind == UC_PV_UNSET || v.kind == UC_PV_NONE ||
                     (uc_pv_is(v, UC_PV_INT) && v.i == 1) || (uc_pv_is(v, UC_PV_FLOAT) && v.f == 1);
    return one ? x : uc_g2(c->g, "Mul", x, uc_aten_operand(c, v, uc_t_dtype(c->b, x)));
}

/* beta * self + alpha * (a @ b) */
void uc_aten_addmm(uc_aten_call *c)
{
    const uc_pv beta = uc_aten_arg(c, "beta");
    uc_ref y = uc_t_matmul(c->b, uc_aten_operand(c, c->args[1], UNCORK_DTYPE_NONE),
                           uc_aten_operand(c, c->args[2], UNCORK_DTYPE_NONE));
    if (strcmp(c->with, "sum") == 0) { /* addbmm: over the batch */
        const int64_t first = 0;
        y = uc_t_sum(c->b, y, &first, 1, false);
    }
    y = scaled(c, y, "alpha");
    if ((uc_pv_is(beta, UC_PV_INT) && beta.i == 0) ||
        (uc_pv_is(beta, UC_PV_FLOAT) && beta.f == 0)) {
        uc_aten_out(c, y);
        return;
    }
    uc_aten_out(c, uc_g2(c->g, "Add", scaled(c, self(c), "beta"), y));
}

void uc_aten_outer(uc_aten_call *c)
{
    const uc_ref a = uc_g_unsqueeze(c->g, self(c), -1);
    const uc_ref b = uc_g_unsqueeze(c->g, uc_aten_operand(c, c->args[1], UNCORK_DTYPE_NONE), 0);
    uc_aten_out(c, uc_g2(c->g, "Mul", a, b));
}

void uc_aten_einsum(uc_aten_call *c)
{
    size_t n = 0;
    const char *equation = uc_aten_text(c, "equation", "");
    uc_ref *x = uc_aten_tensors(c, "tensors", &n);
    if (!x) return;
    uc_node *node = uc_graph_node(c->g, "Einsum", x, n, 1);
    uc_node_str(c->g, node, "equation", equation);
    uc_aten_out(c, uc_node_out(node, 0));
}

/* Axes of both are moved to the inside, then it is one product. */
void uc_aten_tensordot(uc_aten_call *c)
{
    uc_ref x[2] = {self(c), uc_aten_operand(c, c->args[1], UNCORK_DTYPE_NONE)};
    int64_t dims[2][UC_PY_RANK], perm[UC_PY_RANK];
    const int n = uc_aten_ints(c, "dims_self", dims[0], UC_PY_RANK, 0);
    if (uc_aten_ints(c, "dims_other", dims[1], UC_PY_RANK, 0) != n || c->ev->failed) return;
    uc_ref shape[2], flat[2];
    for (int k = 0; k < 2; k++) {
        const int rank = uc_t_rank(c->b, x[k]);
        bool used[UC_PY_RANK] = {false};
        int m = 0;
        if (rank < n) {
            uc_aten_fail(c, "the number of axes isn't known");
            return;
        }
        for (int i = 0; i < n; i++) {
            if (dims[k][i] < 0) dims[k][i] += rank;
            if (dims[k][i] < 0 || dims[k][i] >= rank) {
                uc_aten_fail(c, "an axis that isn't there");
                return;
            }
            used[dims[k][i]] = true;
        }
        for (int i = 0; k == 1 && i < n; i++)
            perm[m++] = dims[k][i];
        for (int i = 0; i < rank; i++) {
            if (!used[i]) perm[m++] = i;
        }
        for (int i = 0; k == 0 && i < n; i++)
            perm[m++] = dims[k][i];
        const uc_ref turned = uc_t_permute(c->b, x[k], perm, rank);
        const uc_ref all = uc_g1(c->g, "Shape", turned);
        shape[k] =
            k == 0 ? uc_g_slice(c->g, all, 0, 0, rank - n) : uc_g_slice(c->g, all, 0, n, INT64_MAX);
        uc_node *node = uc_graph_node(c->g, "Flatten", &turned, 1, 1);
        uc_node_int(c->g, node, "axis", k == 0 ? rank - n : n);
        flat[k] = uc_node_out(node, 0);
    }
    const uc_ref y = uc_g2(c->g, "MatMul", flat[0], flat[1]);
    uc_aten_out(c, uc_g2(c->g, "Reshape", y, uc_g_concat(c->g, shape, 2, 0)));
}

void uc_aten_inverse(uc_aten_call *c)
{
    const uc_ref x = self(c);
    uc_aten_out(c, uc_g1(c->g, "com.microsoft.Inverse", x));
}

void uc_aten_det(uc_aten_call *c) { uc_aten_out(c, uc_g1(c->g, "Det", self(c))); }

void uc_aten_trace(uc_aten_call *c)
{
    const uc_pv d = uc_aten_again(c, "diagonal", c->args, 1);
    if (d.kind == UC_PV_TENSOR) {
        uc_pv v = d;
        c->result = uc_aten_again(c, "sum", &v, 1);
    }
}

void uc_aten_cross(uc_aten_call *c)
{
    const uc_ref x = self(c), y = uc_aten_operand(c, c->args[1], UNCORK_DTYPE_NONE);
    int64_t dim = uc_aten_int(c, "dim", -1);
    if (strcmp(c->name, "cross") == 0 && !uc_aten_has(c, "dim")) { /* the first axis of length 3 */
        const int rank = uc_t_rank(c->b, x);
        for (int i = rank - 1; i >= 0; i--) {
            if (uc_t_dim(c->b, x, i) == 3) dim = i;
        }
    }
    const int64_t one[] = {2}, two[] = {1};
    const uc_ref xa = uc_t_roll(c->b, x, one, &dim, 1), ya = uc_t_roll(c->b, y, two, &dim, 1);
    const uc_ref xb = uc_t_roll(c->b, x, two, &dim, 1), yb = uc_t_roll(c->b, y, one, &dim, 1);
    uc_aten_out(c, uc_g2(c->g, "Sub", uc_g2(c->g, "Mul", xa, ya), uc_g2(c->g, "Mul", xb, yb)));
}

void uc_aten_chain(uc_aten_call *c)
{
    size_t n = 0;
    uc_ref *x = uc_aten_tensors(c, "matrices", &n);
    if (!x) x = NULL;
    if (!x || n == 0) return;
    uc_ref y = x[0];
    for (size_t i = 1; i < n; i++)
        y = uc_t_matmul(c->b, y, x[i]);
    uc_aten_out(c, y);
}

void uc_aten_kron(uc_aten_call *c)
{
    const uc_ref a = self(c), b = uc_aten_operand(c, c->args[1], UNCORK_DTYPE_NONE);
    if (uc_t_rank(c->b, a) != 2 || uc_t_rank(c->b, b) != 2) {
        uc_aten_fail(c, "only matrices are supported");
        return;
    }
    const uc_ref wide = uc_g_unsqueeze(c->g, uc_g_unsqueeze(c->g, a, 2), 1);
    const uc_ref y = uc_g2(c->g, "Mul", wide, uc_g_unsqueeze(c->g, uc_g_unsqueeze(c->g, b, 1), 0));
    const uc_ref shape = uc_g2(c->g, "Mul", uc_g1(c->g, "Shape", a), uc_g1(c->g, "Shape", b));
    uc_aten_out(c, uc_g2(c->g, "Reshape", y, shape));
}
