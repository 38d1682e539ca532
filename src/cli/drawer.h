/* --draw and --sheet: pictures with their answers on them. Answers come one after the other; their
 * drawings wait in a queue until all cores can work on them. File names and the order on sheets follow
 * the order of the inputs, whatever the number of threads. */
#ifndef UC_CLI_DRAWER_H
#define UC_CLI_DRAWER_H

#include "cli/predict.h"
#include "image/draw.h"

/* One picture and what is drawn on it; everything in its arena. */
typedef struct cli_drawing {
    uc_arena *arena;
    const char *name; /* as it was given */
    const char *path; /* to read; NULL: `bytes` are there already */
    uc_bytes bytes;
    const char *output; /* to write; NULL: only a thumbnail is wanted */
    bool turned;        /* upright by EXIF first */
    bool answered;      /* there is something to draw, be it that nothing was found */
    uc_draw_style style;
    uc_caption_line *lines; /* of a block */
    size_t line_count;
    uc_draw_box *boxes;
    size_t box_count;
    uc_detect_mask *masks; /* [box_count]; data NULL: none */
    uc_mask *mask;
    uc_str *mask_names; /* [mask->classes] */
    int64_t mask_hidden;
    double (*points)[3];
    size_t point_count, points_each; /* all of them, those of one object */
    double point_threshold;
    uc_sheet_item item; /* name, answer, score; the thumbnail once it is drawn */
    bool wants_item;
    uncork_error error;
} cli_drawing;

/* drawer_answer.c: what an answer looks like: lines, boxes, a mask, points, copied into the drawing. */
uncork_status cli_drawing_of(cli_drawing *drawing, const cli_answers *answers,
                             const cli_input *input, void *const *made);
/* The canvas as a file, JPEG or PNG by its ending. `asked`: somebody named the file, it isn't one of a
 * folder's. */
uncork_status cli_write_picture(const uc_pixels *canvas, const char *path, bool asked,
                                uncork_error *error);
/* drawer_picture.c: reads, draws, writes, and makes the thumbnail in `kept`, within `budget`. */
uncork_status cli_drawing_draw(cli_drawing *drawing, uc_budget *budget, uc_arena *kept);

typedef struct cli_drawer cli_drawer;

/* NULL in *drawer when neither option is given. Prints what is wrong with them (no folder of the
 * inputs' own, no input overwritten) and returns the exit status. */
int cli_drawer_new(predictor *p, char *const *paths, size_t count, cli_drawer **drawer);
/* Of answers.answered: queues one input's drawing. `context` is the drawer. */
uncork_status cli_drawer_take(void *context, const cli_answers *answers, const cli_input *input,
                              void *const *made, uc_arena *arena, uncork_error *error);
/* An input that failed has its place on the sheet too. */
void cli_drawer_failed(cli_drawer *drawer, const char *input, const uncork_error *error);
/* Draws what is left and writes the last sheet; NULL is fine. */
void cli_drawer_end(cli_drawer *drawer);

#endif
