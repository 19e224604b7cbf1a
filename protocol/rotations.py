"""Quaternion arithmetic on arrays of any batch shape, w first.

Every function takes and returns (..., 4) unit quaternions in the order w, x, y, z unless its docstring says otherwise,
broadcasts over the leading axes and keeps the dtype of its input.
"""

import numpy as np

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0], np.float32)


def normalize(q: np.ndarray) -> np.ndarray:
    """Scale quaternions to unit length; a zero quaternion becomes the identity."""
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    return np.where(length > 1e-12, q / np.maximum(length, 1e-12), IDENTITY.astype(q.dtype))


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hamilton product: the rotation that applies ``b`` first, then ``a``."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        (
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ),
        axis=-1,
    )


def inverse(q: np.ndarray) -> np.ndarray:
    """The conjugate, which undoes a unit quaternion."""
    return q * np.array([1, -1, -1, -1], q.dtype)


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Turn vectors ``v`` (..., 3) by ``q``; returns (..., 3)."""
    xyz = q[..., 1:]
    t = 2 * _cross(xyz, v)
    return v + q[..., :1] * t + _cross(xyz, t)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # np.cross spends more time on its axes than on the few vectors of one joint.
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx), axis=-1)


def from_axis_angle(axis: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
    """Rotation by ``angle`` radians (...,) about ``axis`` (..., 3), which need not be of unit length."""
    axis = np.asarray(axis, np.result_type(axis, np.float32))
    unit = axis / np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-12)
    half = np.asarray(angle, axis.dtype)[..., None] / 2
    return _join(np.cos(half), np.sin(half) * unit)


def _join(w: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    shape = np.broadcast_shapes(w.shape[:-1], xyz.shape[:-1])
    return np.concatenate((np.broadcast_to(w, (*shape, 1)), np.broadcast_to(xyz, (*shape, 3))), axis=-1)


def about_y(angle: np.ndarray | float) -> np.ndarray:
    """Rotation by ``angle`` radians (...,) about the vertical; +pi/2 turns +Z to +X."""
    return from_axis_angle(np.array([0.0, 1.0, 0.0], np.float32), angle)


def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest rotation that turns the direction ``a`` (..., 3) into the direction ``b`` (..., 3)."""
    a = a / np.maximum(np.linalg.norm(a, axis=-1, keepdims=True), 1e-12)
    b = b / np.maximum(np.linalg.norm(b, axis=-1, keepdims=True), 1e-12)
    a, b = np.broadcast_arrays(a, b)
    w = 1 + np.sum(a * b, axis=-1, keepdims=True)
    # Opposite directions have no shortest rotation: half a turn about any perpendicular axis will do.
    helper = np.where(np.abs(a[..., :1]) < 0.9, np.eye(3)[0], np.eye(3)[1])
    xyz = np.where(w < 1e-6, np.cross(a, helper), np.cross(a, b))
    return normalize(np.concatenate((np.where(w < 1e-6, 0, w), xyz), axis=-1).astype(a.dtype))


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray | float) -> np.ndarray:
    """Spherical interpolation along the shorter arc, from ``a`` at ``t`` = 0 to ``b`` at ``t`` = 1; ``t`` is (...,)."""
    t = np.asarray(t, a.dtype)[..., None]
    dot = np.sum(a * b, axis=-1, keepdims=True)
    b = np.where(dot < 0, -b, b)
    angle = np.arccos(np.clip(np.abs(dot), 0, 1))
    sine = np.sin(angle)
    near = sine < 1e-5
    safe = np.where(near, 1, sine)
    wa = np.where(near, 1 - t, np.sin((1 - t) * angle) / safe)
    wb = np.where(near, t, np.sin(t * angle) / safe)
    return normalize(wa * a + wb * b)


def yaw(q: np.ndarray) -> np.ndarray:
    """Heading of a rotation: the angle (...,) in radians about +Y to which it turns +Z, seen from above."""
    forward = rotate(q, np.array([0.0, 0.0, 1.0], q.dtype))
    return np.arctan2(forward[..., 0], forward[..., 2])


def continuous(q: np.ndarray) -> np.ndarray:
    """Flip signs along the first axis so that neighbours never lie in opposite half-spheres; ``q`` is (T, ..., 4)."""
    dots = np.sum(q[1:] * q[:-1], axis=-1, keepdims=True)
    signs = np.cumprod(np.where(dots < 0, -1, 1), axis=0)
    return np.concatenate((q[:1], q[1:] * signs.astype(q.dtype)))


def to_matrix(q: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3), whose columns are the turned axes."""
    return np.stack([rotate(q, axis) for axis in np.eye(3, dtype=q.dtype)], axis=-1)


def from_matrix(m: np.ndarray) -> np.ndarray:
    """Quaternions of rotation matrices ``m`` (..., 3, 3), with w >= 0.

    Picks, for each matrix, the largest of the four components first, which is stable everywhere
    (Shepperd 1978, "Quaternion from rotation matrix").
    """
    m00, m11, m22 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    squares = np.stack((1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22), axis=-1)
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    d, e, f = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    rows = np.stack(
        (
            np.stack((squares[..., 0], a, b, c), axis=-1),
            np.stack((a, squares[..., 1], d, e), axis=-1),
            np.stack((b, d, squares[..., 2], f), axis=-1),
            np.stack((c, e, f, squares[..., 3]), axis=-1),
        ),
        axis=-2,
    )
    largest = np.argmax(squares, axis=-1)
    q = normalize(np.take_along_axis(rows, largest[..., None, None], axis=-2)[..., 0, :])
    return np.where(q[..., :1] < 0, -q, q)
